//! Rewrites: the edits offered on a finding. Unknown counts as no; a refusal names what stands in the way.
//!
//! A rewrite is listed by its name in the front matter of the pages it belongs to. To add one: a file in `rewrites/`,
//! and two lines here, in alphabetical order. The result is parsed before it is offered: an edit that breaks the file
//! never leaves this module.

mod aclosing;
mod add_async;
mod add_await;
mod async_lock;
mod async_queue;
mod asyncio_run;
mod await_sleep;
mod awaiting;
mod bind_weak_object;
mod blocks;
mod bounded_gather;
mod cache_per_instance;
mod call_threadsafe;
mod concurrent_awaits;
mod context_var;
mod create_task;
mod end_with_sentinel;
mod end_with_shutdown;
mod executor_map;
mod executor_to_thread;
mod finalize_instead_of_del;
mod group_errors;
mod helper_to_thread;
mod imports;
mod independence;
mod init_subclass;
mod inspect_coroutine;
mod keep_task;
mod keep_task_logged;
mod layout;
mod loop_object;
mod make_async;
mod raise_again;
mod raise_attribute_error;
mod refuse_special_names;
mod running_loop;
mod set_name;
mod subprocess_exec;
mod sync_facade;
mod task_group;
mod timeout_block;
mod to_thread;
mod wait_for;
mod weak_method;
mod weak_value_dictionary;
mod weakref_slot;
mod with_lock;
mod worker_end;
mod worker_pool;

use std::path::PathBuf;

use ruff_python_ast::AnyNodeRef;
use ruff_python_ast::find_node::covering_node;

use crate::analysis::{Module, Site, Version, count_syntax_errors};
use crate::detectors::Finding;
use crate::text::{Edit, Ranged as _, TextRange, apply};

/// An edit that can be offered on a finding.
pub struct Rewrite {
    /// Its name in a page's `rewrites`.
    pub name: &'static str,
    /// Builds the edit for a finding, refuses with a reason, or (`None`) does not apply at all.
    pub offer: fn(&Target) -> Option<Offer>,
}

/// All rewrites, alphabetical by name.
pub const ALL: &[Rewrite] = &[
    aclosing::REWRITE,
    add_async::REWRITE,
    add_await::REWRITE,
    async_lock::REWRITE,
    async_queue::REWRITE,
    asyncio_run::REWRITE,
    await_sleep::REWRITE,
    bind_weak_object::REWRITE,
    bounded_gather::REWRITE,
    cache_per_instance::REWRITE,
    call_threadsafe::REWRITE,
    concurrent_awaits::REWRITE,
    context_var::REWRITE,
    create_task::REWRITE,
    end_with_sentinel::REWRITE,
    end_with_shutdown::REWRITE,
    executor_map::REWRITE,
    executor_to_thread::REWRITE,
    finalize_instead_of_del::REWRITE,
    helper_to_thread::REWRITE,
    init_subclass::REWRITE,
    inspect_coroutine::REWRITE,
    keep_task::REWRITE,
    keep_task_logged::REWRITE,
    make_async::REWRITE,
    raise_again::REWRITE,
    raise_attribute_error::REWRITE,
    refuse_special_names::REWRITE,
    running_loop::REWRITE,
    set_name::REWRITE,
    subprocess_exec::REWRITE,
    sync_facade::REWRITE,
    task_group::REWRITE,
    timeout_block::REWRITE,
    to_thread::REWRITE,
    wait_for::REWRITE,
    weak_method::REWRITE,
    weak_value_dictionary::REWRITE,
    weakref_slot::REWRITE,
    with_lock::REWRITE,
    worker_pool::REWRITE,
];

/// What a rewrite works on.
pub struct Target<'a, 's> {
    /// The smallest node that holds the finding's range.
    pub site: Site<'a, 's>,
    pub finding: &'a Finding,
    /// The oldest Python the project supports: nothing newer may be used.
    pub oldest_python: Version,
}

/// Edits to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdits {
    pub path: PathBuf,
    pub edits: Vec<Edit>,
}

/// What a rewrite has to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The edit. `title` is in the imperative and names every change in behaviour.
    Edit {
        title: String,
        files: Vec<FileEdits>,
        /// Whether only defects change: results, order and exceptions stay.
        preserves_behaviour: bool,
    },
    /// The edit would be wrong here; `reason` names what stands in the way and its line.
    Refused { title: String, reason: String },
}

impl Offer {
    /// An offer that edits the file of `module`.
    pub fn edit(
        module: &Module,
        title: impl Into<String>,
        edits: Vec<Edit>,
        preserves_behaviour: bool,
    ) -> Option<Self> {
        let path = module.path()?.to_path_buf();
        let files = vec![FileEdits { path, edits }];
        Some(Self::Edit { title: title.into(), files, preserves_behaviour })
    }

    /// A refusal.
    pub fn refused(title: impl Into<String>, reason: impl Into<String>) -> Option<Self> {
        Some(Self::Refused { title: title.into(), reason: reason.into() })
    }
}

/// What the rewrite called `name` offers on `finding`.
pub fn offer(module: &Module, finding: &Finding, name: &str, oldest_python: Version) -> Option<Offer> {
    let rewrite = ALL.iter().find(|rewrite| rewrite.name == name)?;
    let covering = covering_node(module.syntax().into(), finding.range);
    let mut nodes: Vec<AnyNodeRef> = covering.ancestors().collect();
    nodes.reverse();
    let (node, ancestors) = nodes.split_last()?;
    let site = Site::at(module, *node, ancestors);
    let mut offer = (rewrite.offer)(&Target { site, finding, oldest_python })?;
    if let Offer::Edit { files, .. } = &mut offer {
        // Clients sort by the start alone: what is inserted comes before what is replaced there.
        files.iter_mut().for_each(|file| file.edits.sort_by_key(|edit| (edit.range.start(), edit.range.end())));
    }
    match &offer {
        Offer::Edit { files, .. } if !files.iter().all(|file| is_sound(module, file)) => None,
        _ => Some(offer),
    }
}

/// Whether the edits apply and leave no syntax error that was not there before.
fn is_sound(module: &Module, file: &FileEdits) -> bool {
    let other;
    let edited = if module.path() == Some(file.path.as_path()) {
        module
    } else {
        let Ok(found) = module.snapshot().module(&file.path) else { return false };
        other = found;
        &other
    };
    if edited.syntax_errors().is_empty() && sound_by_itself(edited, &file.edits) {
        return true;
    }
    let Some(result) = apply(edited.text(), &file.edits) else { return false };
    count_syntax_errors(&result) <= edited.syntax_errors().len()
}

/// Whether the lines that the edits change, with all of the top-level statements they belong to, parse by themselves: then the
/// whole file does, if it did before. It spares parsing a long file once for each of its fixes.
fn sound_by_itself(module: &Module, edits: &[Edit]) -> bool {
    let lines = module.lines();
    let whole_lines = |range: TextRange| {
        let first = lines.line_range(lines.line(range.start())).start();
        TextRange::new(first, lines.line_range(lines.line(range.end())).end())
    };
    let statements = &module.syntax().body;
    let mut parts: Vec<(TextRange, Vec<Edit>)> = vec![];
    for edit in edits {
        let mut part = whole_lines(edit.range);
        let first = statements.partition_point(|statement| statement.end() < part.start());
        for statement in &statements[first..] {
            if statement.start() > part.end() {
                break;
            }
            part = part.cover(whole_lines(statement.range()));
        }
        match parts.last_mut() {
            Some((last, own)) if part.start() <= last.end() => {
                *last = last.cover(part);
                own.push(edit.clone());
            }
            _ => parts.push((part, vec![edit.clone()])),
        }
    }
    parts.into_iter().all(|(part, edits)| {
        let moved = |edit: Edit| Edit { range: edit.range - part.start(), ..edit };
        let edits: Vec<Edit> = edits.into_iter().map(moved).collect();
        edits.iter().all(|edit| edit.range.end() <= part.len())
            && apply(module.source(part), &edits).is_some_and(|result| count_syntax_errors(&result) == 0)
    })
}
