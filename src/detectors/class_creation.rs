//! `class` statements whose execution does more than bind a name: a metaclass, `__init_subclass__` of a base,
//! `__set_name__` of members, decorators. One finding a statement, on the class's name: the most telling concept.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::abstract_class;
use super::metaclass_hooks::{given, provided};
use super::method_body::method;
use super::method_shape::is_placeholder;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Metaclass, Origin, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "metaclasses/abstract-base-class",
        "metaclasses/built-by",
        "metaclasses/class-creation-steps",
        "metaclasses/init-subclass",
        "metaclasses/protocol-class",
    ],
    nodes: &[NodeKind::StmtClassDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    if !site.is_asked(statement.name.range()) || site.is_type_checking() {
        return None;
    }
    let class = site.module.class(statement)?;
    if class.is_metaclass() {
        return None; // See `metaclass`.
    }
    let metaclass = class.metaclass();
    let special = abstract_class::protocol(site, statement, &class)
        .or_else(|| abstract_class::abstract_class(statement, &class, metaclass.as_ref()));
    let finding = special.or_else(|| {
        let built = metaclass.as_ref().and_then(|metaclass| built_by(statement, &class, metaclass));
        built.or_else(|| plain(statement, &class, metaclass.as_ref()))
    })?;
    findings.push(finding);
    Some(())
}

fn built_by(statement: &ast::StmtClassDef, class: &Class, metaclass: &Metaclass) -> Option<Finding> {
    let symbol = metaclass.class.symbol();
    if symbol.is("abc.ABCMeta") {
        return None; // It adds nothing to a class without abstract methods.
    }
    let name = metaclass.class.name();
    let is_inherited = metaclass.written_on != *class;
    if is_inherited && symbol.origin != Origin::Project {
        return None; // As for every enumeration, and every model of a library.
    }
    let from = is_inherited.then_some(&metaclass.written_on);
    // That `Enum` and the like have a metaclass is no news at the end of a line.
    let is_news = is_inherited && symbol.origin != Origin::StandardLibrary;
    let end = statement.arguments.as_ref().map_or(statement.name.end(), |arguments| arguments.end());
    let finding = Finding::new("metaclasses/built-by", statement.name.range())
        .fact("class", Fact::from(statement.name.as_str()))
        .fact("inherited_from", from.map(|from| Fact::from(from.name())))
        .fact("written_at", from.and_then(Class::place).map(Fact::from))
        .fact("inherited_metaclass", is_news.then(|| Fact::from(name.as_str())))
        .fact("metaclass", Fact::from(name))
        .hint_at(end)
        .hint_leads_to(metaclass.class.place());
    Some(with_members(statement, class, with_hooks(class, metaclass, finding)))
}

/// A class built by `type`, if its creation runs something of the user's.
fn plain(statement: &ast::StmtClassDef, class: &Class, metaclass: Option<&Metaclass>) -> Option<Finding> {
    let name = statement.name.as_str();
    if let Some(definer) = init_subclass_of_bases(class) {
        let mut keywords: Vec<_> = keywords(statement).map(|keyword| keyword.to_string()).collect();
        let is_own = definer.symbol().origin == Origin::Project;
        // What a library does with every class of its kind is no news; and what has no body does nothing.
        if keywords.is_empty() && (!is_own || is_empty_hook(&definer)) {
            return None;
        }
        // A metaclass of a library may keep keywords for itself, as models' options.
        let takes_keywords = metaclass.is_some_and(|metaclass| {
            metaclass.class.symbol().origin != Origin::Project && !metaclass.class.is("abc.ABCMeta")
        });
        if takes_keywords {
            keywords.clear();
        }
        if takes_keywords && !is_own {
            return None;
        }
        let hook = definer.own_member("__init_subclass__");
        let found = Finding::new("metaclasses/init-subclass", statement.name.range())
            .fact("subclass", Fact::from(name))
            .fact("definer", Fact::from(definer.name()))
            .fact("hook", Fact::from(format!("{}.__init_subclass__", definer.name())))
            .fact("hook_at", hook.and_then(|hook| hook.place).map(Fact::from))
            .fact("keywords", Fact::from(keywords));
        return Some(with_members(statement, class, found));
    }
    // That a decorator gets the finished class is true of each.
    let runs_more = !named_members(class).is_empty();
    let found = Finding::new("metaclasses/class-creation-steps", statement.name.range());
    runs_more.then(|| with_members(statement, class, found.fact("class", Fact::from(name))))
}

fn is_empty_hook(definer: &Class) -> bool {
    definer.with_statement(|_, statement| {
        method(&statement.body, "__init_subclass__").is_none_or(|hook| is_placeholder(&hook.body))
    })
}

fn keywords(statement: &ast::StmtClassDef) -> impl Iterator<Item = &str> {
    let keywords = statement.arguments.iter().flat_map(|arguments| &arguments.keywords);
    keywords.filter_map(|keyword| keyword.arg.as_deref()).filter(|name| *name != "metaclass")
}

/// What the metaclass and the bases do while the class is made.
fn with_hooks(class: &Class, metaclass: &Metaclass, mut finding: Finding) -> Finding {
    let (mut adds, mut may_add) = given(provided(&metaclass.class));
    adds.retain(|name| !is_bookkeeping(name));
    may_add.retain(|name| !is_bookkeeping(name) && !class.binds(name));
    let hook = |method: &str| {
        let definer = metaclass.class.definer(method)?;
        let place = definer.own_member(method).and_then(|member| member.place);
        Some((Fact::from(format!("{}.{method}", definer.name())), place.map(Fact::from)))
    };
    // Where the metaclass is written, the first of its hooks is what the hover begins with.
    let mut is_first = metaclass.written_on == *class;
    let mut begins = |fact: &'static str, first: &'static str| if std::mem::take(&mut is_first) { first } else { fact };
    if let Some((name, place)) = hook("__new__") {
        let fact = begins(if adds.is_empty() { "meta_new" } else { "meta_new_adding" }, "first_new");
        finding = finding.fact(fact, name).fact("meta_new_at", place);
        finding = finding.fact("adds", Fact::from(adds)).fact("may_add", Fact::from(may_add));
    }
    if let Some((name, place)) = hook("__init__") {
        finding = finding.fact(begins("meta_init", "first_init"), name).fact("meta_init_at", place);
    }
    if let Some((name, place)) = hook("__prepare__") {
        finding = finding.fact(begins("prepare", "first_prepare"), name).fact("prepare_at", place);
    }
    let Some(definer) = init_subclass_of_bases(class) else { return finding };
    let place = definer.own_member("__init_subclass__").and_then(|member| member.place);
    finding
        .fact("init_subclass", Fact::from(format!("{}.__init_subclass__", definer.name())))
        .fact("init_subclass_at", place.map(Fact::from))
}

/// What members and decorators do while the class is made.
fn with_members(statement: &ast::StmtClassDef, class: &Class, finding: Finding) -> Finding {
    let module = class.module();
    let decorators = statement.decorator_list.iter();
    let decorators: Vec<_> = decorators.map(|decorator| module.source(&decorator.expression).to_string()).collect();
    finding.fact("set_names", Fact::from(named_members(class))).fact("decorators", Fact::from(decorators))
}

/// Entries of the namespace that every class has.
fn is_bookkeeping(name: &str) -> bool {
    matches!(name, "__module__" | "__qualname__" | "__doc__")
}

/// The base, nearest first, whose `__init_subclass__` runs for the class.
fn init_subclass_of_bases<'s>(class: &Class<'s>) -> Option<Class<'s>> {
    let hook = "__init_subclass__";
    let definer = class.mro().into_iter().skip(1).find(|base| base.binds(hook))?;
    (!definer.is("builtins.object")).then_some(definer)
}

/// The members of the class's own body that are told their name.
fn named_members(class: &Class) -> Vec<String> {
    class.with_statement(|module, statement| {
        // A literal is told nothing, and of a name its own statement tells. The class that is called says it without the
        // types of the arguments.
        let class_of = |value: &Expr| match value {
            Expr::Call(call) => module.class_reference(&call.func).or_else(|| module.class_of(value)),
            Expr::Attribute(_) | Expr::Subscript(_) | Expr::If(_) | Expr::BoolOp(_) => module.class_of(value),
            _ => None,
        };
        let is_told = |value: &Expr| class_of(value).is_some_and(|class| class.definer("__set_name__").is_some());
        let assigns = statement.body.iter().filter_map(|statement| match statement {
            Stmt::Assign(assign) => Some((assign.targets.first()?, &*assign.value)),
            Stmt::AnnAssign(assign) => Some((&*assign.target, assign.value.as_deref()?)),
            _ => None,
        });
        let told = assigns.filter(|(_, value)| is_told(value));
        told.filter_map(|(target, _)| Some(target.as_name_expr()?.id.to_string())).collect()
    })
}
