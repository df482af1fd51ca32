//! Findings: a concept is at work in a range, with these facts. One walk over a file serves all detectors.
//!
//! A detector names the kinds of node it wants and gets each such node as a [`Site`]. It pushes findings whose range lies
//! **inside that node**: so a hover only has to visit the nodes around the cursor. It returns `Option<()>`: every `?` is one
//! reason why there is nothing to say. It writes no prose and does not know which view shows its finding.
//!
//! To add one: a file in `detectors/`, and two lines here, in alphabetical order. Concepts that a name, a method or a form
//! of syntax gives away need no detector: see `from_pages`.

mod abc_register;
mod abc_without_abstract;
mod abstract_class;
mod abstract_instance;
mod access_hook;
mod across_loops;
mod annotations_attribute;
mod async_for;
mod async_with;
mod asyncio_lock;
mod asyncio_queue;
mod asyncio_run;
mod asyncio_sleep;
mod attribute_read;
mod attribute_write;
mod attrs_class;
mod await_expression;
pub(crate) mod awaits_in_loop;
mod block_end;
mod blocking_call;
mod blocking_call_through;
mod call_later;
mod call_method;
pub(crate) mod called_twice;
mod caught_name;
mod caught_setter_error;
mod class_cell;
mod class_creation;
mod class_getitem;
pub(crate) mod class_reading;
mod closure_capture;
mod comparator;
mod comparison_method;
mod container_method;
mod context_method;
mod copying;
mod coroutine_callback;
mod coroutine_function;
mod daemon_thread;
mod dataclass;
mod dataclass_field;
mod dataclass_parts;
mod decorated_method;
mod decorator;
mod decorator_registry;
mod descriptor_check;
mod descriptor_class;
mod descriptor_definition;
mod descriptor_methods;
mod descriptor_names;
mod descriptor_on_instance;
pub(crate) mod descriptor_shape;
mod descriptor_storage;
mod dir_method;
mod django_queryset;
mod django_relation;
mod django_reverse;
mod dunder_on_instance;
mod dynamic_attributes;
mod dynamic_class;
mod dynamic_shape;
mod empty_means_done;
mod enum_alias;
mod enum_auto;
mod enum_class;
mod equality_hash;
mod exception_group;
mod exception_lifetime;
mod exit_stack;
mod facts;
mod failed_item_lost;
mod finalize;
mod finalizer_method;
mod finding;
mod fixture_parameter;
mod fork_with_threads;
mod from_pages;
mod function_cache;
mod gather;
mod gc_disable;
mod generator_dropped;
mod generator_manager;
mod generator_memory;
mod get_event_loop;
mod getattr_answer;
mod getattr_hook;
mod getattr_return;
mod getattr_shape;
mod gil;
mod handed_over;
mod handled_exception;
mod handler_shadowed;
mod http_client;
mod http_request;
mod identity;
mod init_subclass;
mod initialiser;
mod inspect_answer;
mod instance_dict;
mod iterator;
mod keyword_flow;
mod keyword_is;
mod keyword_lambda;
mod keyword_match;
mod keyword_scope;
mod keyword_with;
mod keyword_yield;
mod late_descriptor;
mod list_of_floats;
mod lock;
mod lock_held;
mod lock_not_released;
mod lock_order;
mod lock_reentry;
pub(crate) mod locks;
mod loop_event;
mod main_guard;
mod manager_base;
mod manager_proxy;
mod mapping_proxy;
mod maybe_none;
mod members_predicate;
mod metaclass;
mod metaclass_attribute;
mod metaclass_conflict;
mod metaclass_filter;
mod metaclass_hooks;
mod metaclass_namespace;
mod method_binding;
mod method_body;
mod method_shape;
pub(crate) mod missing_async;
mod module_entry;
mod narrow_check;
mod never_awaited;
mod never_joined;
mod new_method;
mod next_in_thread;
mod no_current_loop;
mod no_timeout;
pub(crate) mod nodes;
mod not_picklable;
mod not_started;
pub(crate) mod not_threadsafe;
mod object_size;
mod off_loop;
mod operator_method;
mod own_namespace_check;
mod partial;
mod pool_self_wait;
mod print_on_thread;
mod process_queue;
mod property_shape;
mod protocol_check;
mod pydantic_copy;
mod pydantic_field;
mod pytest_raises;
mod queue;
mod queue_drained;
pub(crate) mod queues;
mod reference_count;
mod reference_cycle;
mod response_body;
mod retained_memory;
mod runs_on_thread;
pub(crate) mod sequential_awaits;
mod shared_default;
mod shared_value;
mod slots;
mod snapshot_order;
mod special_method;
mod sqlalchemy_load;
mod super_call;
pub(crate) mod suspension;
mod takes_locks;
mod target_called;
mod task_cancel;
mod task_done_skippable;
mod task_group;
mod task_not_kept;
mod text_method;
mod thread;
mod thread_event;
mod thread_here;
mod thread_lifecycle;
pub(crate) mod thread_local_shared;
mod thread_pool;
mod thread_start;
mod thread_subclass;
pub(crate) mod threads;
mod timeout;
mod to_thread;
mod tracked_container;
mod truth_value;
mod types_by_hand;
mod unhashable_key;
mod unlocked_change;
mod unpicklable_argument;
mod wait_for;
mod wait_misuse;
mod wait_without_loop;
pub(crate) mod waiting_function;
mod walk;
mod wall_clock;
mod weak_keys;
mod weak_reference;
mod weak_target;
mod wrapped_signature;
mod wraps;
mod write_hook;

use ruff_python_ast::NodeKind;

pub use facts::{Fact, Facts, one_line};
pub use finding::{Finding, Findings, Wanted};
pub use walk::{findings, findings_in};

use crate::analysis::Site;

/// Yields the findings of some concepts.
pub struct Detector {
    /// The ids of the concepts it may yield.
    pub concepts: &'static [&'static str],
    /// The kinds of node it wants to see.
    pub nodes: &'static [NodeKind],
    /// Looks at one node. Pushes findings inside the node's range.
    pub detect: fn(&Site, &mut Findings) -> Option<()>,
}

/// All detectors but the data-only one, alphabetical by file.
pub const ALL: &[Detector] = &[
    abc_register::DETECTOR,
    abc_without_abstract::DETECTOR,
    abstract_instance::DETECTOR,
    access_hook::DETECTOR,
    across_loops::DETECTOR,
    annotations_attribute::DETECTOR,
    async_for::DETECTOR,
    async_with::DETECTOR,
    asyncio_lock::DETECTOR,
    asyncio_queue::DETECTOR,
    asyncio_run::DETECTOR,
    asyncio_sleep::DETECTOR,
    attribute_read::DETECTOR,
    attribute_write::DETECTOR,
    attrs_class::DETECTOR,
    await_expression::DETECTOR,
    awaits_in_loop::DETECTOR,
    block_end::DETECTOR,
    blocking_call::DETECTOR,
    blocking_call_through::DETECTOR,
    call_later::DETECTOR,
    call_method::DETECTOR,
    called_twice::DETECTOR,
    caught_name::DETECTOR,
    caught_setter_error::DETECTOR,
    class_cell::DETECTOR,
    class_creation::DETECTOR,
    class_getitem::DETECTOR,
    closure_capture::DETECTOR,
    comparator::DETECTOR,
    comparison_method::DETECTOR,
    container_method::DETECTOR,
    context_method::DETECTOR,
    copying::DETECTOR,
    coroutine_callback::DETECTOR,
    coroutine_function::DETECTOR,
    daemon_thread::DETECTOR,
    dataclass::DETECTOR,
    dataclass_field::DETECTOR,
    dataclass_parts::DETECTOR,
    decorated_method::DETECTOR,
    decorator::DETECTOR,
    decorator_registry::DETECTOR,
    descriptor_check::DETECTOR,
    descriptor_class::DETECTOR,
    descriptor_definition::DETECTOR,
    descriptor_methods::DETECTOR,
    descriptor_names::DETECTOR,
    descriptor_on_instance::DETECTOR,
    descriptor_storage::DETECTOR,
    dir_method::DETECTOR,
    django_queryset::DETECTOR,
    django_relation::DETECTOR,
    django_reverse::DETECTOR,
    dunder_on_instance::DETECTOR,
    dynamic_attributes::DETECTOR,
    dynamic_class::DETECTOR,
    empty_means_done::DETECTOR,
    enum_alias::DETECTOR,
    enum_auto::DETECTOR,
    enum_class::DETECTOR,
    equality_hash::DETECTOR,
    exception_group::DETECTOR,
    exception_lifetime::DETECTOR,
    exit_stack::DETECTOR,
    failed_item_lost::DETECTOR,
    finalize::DETECTOR,
    finalizer_method::DETECTOR,
    fixture_parameter::DETECTOR,
    fork_with_threads::DETECTOR,
    function_cache::DETECTOR,
    gather::DETECTOR,
    gc_disable::DETECTOR,
    generator_dropped::DETECTOR,
    generator_manager::DETECTOR,
    generator_memory::DETECTOR,
    get_event_loop::DETECTOR,
    getattr_answer::DETECTOR,
    getattr_hook::DETECTOR,
    getattr_return::DETECTOR,
    gil::DETECTOR,
    handled_exception::DETECTOR,
    handler_shadowed::DETECTOR,
    http_client::DETECTOR,
    http_request::DETECTOR,
    identity::DETECTOR,
    init_subclass::DETECTOR,
    initialiser::DETECTOR,
    inspect_answer::DETECTOR,
    instance_dict::DETECTOR,
    iterator::DETECTOR,
    keyword_flow::DETECTOR,
    keyword_is::DETECTOR,
    keyword_lambda::DETECTOR,
    keyword_match::DETECTOR,
    keyword_scope::DETECTOR,
    keyword_with::DETECTOR,
    keyword_yield::DETECTOR,
    late_descriptor::DETECTOR,
    list_of_floats::DETECTOR,
    lock::DETECTOR,
    lock_held::DETECTOR,
    lock_not_released::DETECTOR,
    lock_order::DETECTOR,
    lock_reentry::DETECTOR,
    loop_event::DETECTOR,
    main_guard::DETECTOR,
    manager_base::DETECTOR,
    manager_proxy::DETECTOR,
    mapping_proxy::DETECTOR,
    maybe_none::DETECTOR,
    members_predicate::DETECTOR,
    metaclass::DETECTOR,
    metaclass_attribute::DETECTOR,
    metaclass_conflict::DETECTOR,
    metaclass_filter::DETECTOR,
    metaclass_namespace::DETECTOR,
    method_binding::DETECTOR,
    missing_async::DETECTOR,
    module_entry::DETECTOR,
    narrow_check::DETECTOR,
    never_awaited::DETECTOR,
    never_joined::DETECTOR,
    new_method::DETECTOR,
    next_in_thread::DETECTOR,
    no_current_loop::DETECTOR,
    no_timeout::DETECTOR,
    not_picklable::DETECTOR,
    not_started::DETECTOR,
    not_threadsafe::DETECTOR,
    object_size::DETECTOR,
    off_loop::DETECTOR,
    operator_method::DETECTOR,
    own_namespace_check::DETECTOR,
    partial::DETECTOR,
    pool_self_wait::DETECTOR,
    print_on_thread::DETECTOR,
    process_queue::DETECTOR,
    protocol_check::DETECTOR,
    pydantic_copy::DETECTOR,
    pydantic_field::DETECTOR,
    pytest_raises::DETECTOR,
    queue::DETECTOR,
    queue_drained::DETECTOR,
    reference_count::DETECTOR,
    reference_cycle::DETECTOR,
    response_body::DETECTOR,
    retained_memory::DETECTOR,
    runs_on_thread::DETECTOR,
    sequential_awaits::DETECTOR,
    shared_default::DETECTOR,
    shared_value::DETECTOR,
    slots::DETECTOR,
    snapshot_order::DETECTOR,
    special_method::DETECTOR,
    sqlalchemy_load::DETECTOR,
    super_call::DETECTOR,
    takes_locks::DETECTOR,
    target_called::DETECTOR,
    task_cancel::DETECTOR,
    task_done_skippable::DETECTOR,
    task_group::DETECTOR,
    task_not_kept::DETECTOR,
    text_method::DETECTOR,
    thread::DETECTOR,
    thread_event::DETECTOR,
    thread_here::DETECTOR,
    thread_lifecycle::DETECTOR,
    thread_local_shared::DETECTOR,
    thread_pool::DETECTOR,
    thread_start::DETECTOR,
    thread_subclass::DETECTOR,
    timeout::DETECTOR,
    to_thread::DETECTOR,
    tracked_container::DETECTOR,
    truth_value::DETECTOR,
    types_by_hand::DETECTOR,
    unhashable_key::DETECTOR,
    unlocked_change::DETECTOR,
    unpicklable_argument::DETECTOR,
    wait_for::DETECTOR,
    wait_misuse::DETECTOR,
    wait_without_loop::DETECTOR,
    waiting_function::DETECTOR,
    wall_clock::DETECTOR,
    weak_keys::DETECTOR,
    weak_reference::DETECTOR,
    weak_target::DETECTOR,
    wrapped_signature::DETECTOR,
    wraps::DETECTOR,
    write_hook::DETECTOR,
];
