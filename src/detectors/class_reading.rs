//! What the text of a class and of its file says: who subclasses it, where its objects are made, what `__init__` sets.

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::method_body::{attribute_of, is_name, method, parameter};
use crate::analysis::{Class, Module, Origin};
use crate::text::{Place, Ranged as _, TextRange};

/// Whether the class is the user's own.
pub(super) fn is_own(class: &Class) -> bool {
    class.symbol().origin == Origin::Project
}

/// Whether instances have the attributes that the class bodies show: no metaclass and no decorator along the order is known
/// to replace some, or may do so unseen.
pub(super) fn is_built_plainly(class: &Class) -> bool {
    class.mro_is_complete()
        && class.keeps_members()
        && class.metaclass().is_none_or(|metaclass| metaclass.class.mro().iter().all(is_readable))
        && class.mro().iter().filter(|class| is_own(class)).all(has_known_decorators)
}

/// Whether a metaclass is the user's own, or does nothing to members by its documentation. One of a library may hand the class
/// to functions that do.
fn is_readable(metaclass: &Class) -> bool {
    const PLAIN: &[&str] = &["abc.ABCMeta", "builtins.object", "builtins.type"];
    is_own(metaclass) || metaclass.symbol().is_any(PLAIN)
}

fn has_known_decorators(class: &Class) -> bool {
    const KNOWN: &[&str] = &[
        "dataclasses.dataclass",
        "functools.total_ordering",
        "typing.final",
        "typing.runtime_checkable",
        "abc.update_abstractmethods",
    ];
    class.with_statement(|module, statement| {
        statement.decorator_list.iter().all(|decorator| {
            let named = match &decorator.expression {
                Expr::Call(call) => &call.func,
                other => other,
            };
            module.symbol(named).is_some_and(|symbol| symbol.is_any(KNOWN))
        })
    })
}

/// Whether the class is a `Protocol` itself: it describes, it does not run.
pub(super) fn is_protocol(class: &Class) -> bool {
    class.with_statement(|module, statement| {
        statement.bases().iter().any(|base| {
            let named = match base {
                Expr::Subscript(item) => &*item.value,
                other => other,
            };
            module.symbol(named).is_some_and(|symbol| symbol.is_any(&["typing.Protocol", "typing_extensions.Protocol"]))
        })
    })
}

/// Whether `@dataclass` makes the class.
pub(super) fn is_dataclass(class: &Class) -> bool {
    class.with_statement(|module, statement| {
        statement.decorator_list.iter().any(|decorator| {
            let named = match &decorator.expression {
                Expr::Call(call) => &call.func,
                other => other,
            };
            module.symbol(named).is_some_and(|symbol| symbol.is("dataclasses.dataclass"))
        })
    })
}

/// A call that makes an object of a class as an attribute of a class body.
pub(crate) struct Use<'m> {
    pub owner: &'m ast::StmtClassDef,
    pub attribute: &'m str,
    pub call: &'m ast::ExprCall,
}

impl Use<'_> {
    /// `Owner.attribute`.
    pub fn label(&self) -> String {
        format!("{}.{}", self.owner.name, self.attribute)
    }
}

/// The class attributes of this file that are made by calling `class`.
pub(crate) fn uses<'m, 's>(module: &'m Module<'s>, class: &Class<'s>) -> Vec<Use<'m>> {
    let mut calls = module.calls_of(&class.name());
    calls.retain(|call| module.class_reference(&call.func).is_some_and(|called| called == *class));
    calls.sort_by_key(|call| call.start());
    calls.into_iter().filter_map(|call| class_attribute(module, call)).collect()
}

fn class_attribute<'m>(module: &'m Module, call: &'m ast::ExprCall) -> Option<Use<'m>> {
    let covering = covering_node(module.syntax().into(), call.range());
    let mut enclosing = covering.ancestors().skip_while(|node| !node.is_statement());
    let attribute = match enclosing.next()? {
        AnyNodeRef::StmtAssign(assign) if assign.value.range() == call.range() => match assign.targets.as_slice() {
            [Expr::Name(name)] => name.id.as_str(),
            _ => return None,
        },
        AnyNodeRef::StmtAnnAssign(assign) if assign.value.as_ref()?.range() == call.range() => {
            assign.target.as_name_expr()?.id.as_str()
        }
        _ => return None,
    };
    match enclosing.next()? {
        AnyNodeRef::StmtClassDef(owner) => Some(Use { owner, attribute, call }),
        _ => None,
    }
}

/// The class statements of a file, in order.
pub(crate) fn class_statements<'m>(module: &'m Module) -> Vec<&'m ast::StmtClassDef> {
    struct Collector<'m>(Vec<&'m ast::StmtClassDef>);
    impl<'m> SourceOrderVisitor<'m> for Collector<'m> {
        fn enter_node(&mut self, node: AnyNodeRef<'m>) -> TraversalSignal {
            if let AnyNodeRef::StmtClassDef(class) = node {
                self.0.push(class);
            }
            if node.is_expression() { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }
    }
    let mut collector = Collector(vec![]);
    collector.visit_body(&module.syntax().body);
    collector.0
}

/// The classes of this file that inherit from `class`.
pub(crate) fn subclasses<'s>(module: &Module<'s>, class: &Class<'s>) -> Vec<Class<'s>> {
    let classes = class_statements(module).into_iter().filter(|statement| !statement.bases().is_empty());
    let classes = classes.filter_map(|statement| module.class(statement));
    classes.filter(|candidate| candidate != class && candidate.is_subclass_of(class)).collect()
}

/// Where `__init__` sets `self.name` on every path that reaches its end, going on to the parents' when it calls them.
pub(super) fn set_in_init(class: &Class, name: &str) -> Option<Place> {
    for definer in class.mro().iter().filter(|class| class.binds("__init__")) {
        let found = definer.with_statement(|module, statement| {
            let def = method(&statement.body, "__init__")?;
            let receiver = parameter(def, 0)?;
            let set = def.body.iter().find_map(|statement| sets(statement, receiver, name));
            let goes_on = def.body.iter().any(|inner| calls_parent_init(inner, &statement.name));
            Some((set.and_then(|range| module.place(range)), goes_on))
        });
        match found? {
            (Some(place), _) => return Some(place),
            (None, true) => {}
            (None, false) => return None,
        }
    }
    None
}

fn sets(statement: &Stmt, receiver: &str, name: &str) -> Option<TextRange> {
    let is_it = |target: &Expr| attribute_of(target, receiver) == Some(name);
    match statement {
        Stmt::Assign(assign) => assign.targets.iter().find(|target| match target {
            Expr::Tuple(tuple) => tuple.elts.iter().any(is_it),
            other => is_it(other),
        }),
        Stmt::AnnAssign(assign) => Some(&*assign.target).filter(|target| assign.value.is_some() && is_it(target)),
        _ => None,
    }
    .map(Expr::range)
}

/// `super().__init__(…)` or `super(Class, self).__init__(…)` as a statement of `class`: on every path, and to the very next class.
fn calls_parent_init(statement: &Stmt, class: &str) -> bool {
    let Stmt::Expr(statement) = statement else { return false };
    let Some(call) = statement.value.as_call_expr() else { return false };
    let Some(called) = call.func.as_attribute_expr() else { return false };
    let is_next = |base: &ast::ExprCall| {
        is_name(&base.func, "super") && base.arguments.args.first().is_none_or(|start| is_name(start, class))
    };
    called.attr.as_str() == "__init__" && called.value.as_call_expr().is_some_and(is_next)
}

/// Whether instances certainly have no `__dict__`.
pub(super) fn lacks_dict(class: &Class) -> bool {
    class.layout().has_dict == Some(false)
}
