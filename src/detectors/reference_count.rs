//! Statements that bind one more name to an object or let one go, and what still holds the object; `sys.getrefcount`.
//!
//! An object is followed from the statement that makes it through the statements of the same scope. Silent about objects
//! that come from elsewhere.

mod fate;
mod lifetime;
mod mentions;
mod path;
mod private;
mod uses;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Number};

pub(super) use fate::{creates_specially, new_object_is_kept, root, with_def};
pub(super) use lifetime::{finalizer, object_of};
pub(super) use mentions::binds;
pub(super) use path::{Path, Step as PathStep};

use lifetime::Object;

use super::class_reading::is_own;
use super::descriptor_shape::Shape;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{MemberKind, Module, Site, Step};
use crate::text::{Ranged as _, TextRange, TextSize};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "memory/del-statement",
        "memory/getrefcount",
        "memory/immortal-objects",
        "memory/refcount-compared",
        "memory/reference-counting",
    ],
    nodes: &[NodeKind::StmtAssign, NodeKind::StmtDelete, NodeKind::ExprCall],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::StmtAssign(assign) if findings.wants("memory/reference-counting") => {
            assignment(site, assign, findings)
        }
        AnyNodeRef::StmtDelete(delete) if findings.wants("memory/del-statement") => {
            for target in &delete.targets {
                let finding = deletion(site, delete, target);
                // What `del` does in general is no news.
                const PLAIN: &[&str] = &["attribute", "error", "item", "kind", "made_at", "name"];
                if finding.facts.iter().any(|(name, _)| !PLAIN.contains(&name)) {
                    findings.push(finding);
                }
            }
            Some(())
        }
        AnyNodeRef::ExprCall(call) => count(site, call, findings),
        _ => None,
    }
}

fn assignment(site: &Site, assign: &ast::StmtAssign, findings: &mut Findings) -> Option<()> {
    let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
    let name = target.id.as_str();
    let finding = Finding::new("memory/reference-counting", assign.range());
    findings.push(match &*assign.value {
        Expr::Name(value) if value.id != target.id => {
            let object = object_of(site, &value.id)?;
            let mut names = object.names.clone();
            if !names.iter().any(|other| other == name) {
                names.push(name.to_string());
            }
            let is_counted = names.iter().any(|name| is_counted(site, name));
            finding
                .fact("alias", Fact::from(name))
                .fact("original", Fact::from(value.id.as_str()))
                .fact("kind", Fact::from(object.kind))
                .fact("made_at", Fact::from(object.made_at))
                .fact("count", is_counted.then(|| Fact::from(names.len())))
                .fact("names", Fact::from(names))
        }
        Expr::NoneLiteral(_) => {
            let object = object_of(site, name)?.without(name);
            release(finding.fact("released", Fact::from(name)).fact("rebound", Fact::from(name)), object)
        }
        _ => return None,
    });
    Some(())
}

/// Whether the file asks for the count of this name: only then is a number of interest.
fn is_counted(site: &Site, name: &str) -> bool {
    let calls = site.module.calls_of("getrefcount");
    calls.iter().any(|call| matches!(call.arguments.args.first(), Some(Expr::Name(argument)) if argument.id == name))
}

/// What is left of an object's holders after a name let go of it.
fn release(finding: Finding, object: Object) -> Finding {
    let finding = finding.fact("made_at", Fact::from(object.made_at.clone()));
    let finalizer = object.finalizer.clone().map(Fact::from);
    let names = Fact::from(object.names.clone());
    if let Some(keeper) = object.keeper() {
        let slot = object.slots.iter().find(|slot| slot.path == keeper);
        return finding
            .fact("kept_kind", Fact::from(object.kind.as_str()))
            .fact("keeper", Fact::from(keeper))
            .fact("names", (object.names.len() > 1).then_some(names))
            .fact("stored_at", slot.map(|slot| Fact::from(slot.place.clone())))
            .fact("finalizer_waits", finalizer);
    }
    match object.escaped {
        true => finding.fact("kind", Fact::from(object.kind)),
        false => finding.fact("freed_kind", Fact::from(object.kind)).fact("finalizer_runs", finalizer),
    }
}

fn deletion(site: &Site, delete: &ast::StmtDelete, target: &Expr) -> Finding {
    let range = match delete.targets.len() {
        1 => delete.range(),
        _ => target.range(),
    };
    let finding = Finding::new("memory/del-statement", range);
    let keyword = TextRange::at(delete.start(), TextSize::new(3));
    let source = Fact::from(site.module.source(target.range()));
    match target {
        Expr::Name(name) => {
            let error = if site.function().is_some() { "UnboundLocalError" } else { "NameError" };
            let finding = finding.fact("name", source).fact("error", Fact::from(error));
            let Some(mut object) = object_of(site, &name.id) else { return finding };
            let gone = delete.targets.iter().take_while(|earlier| earlier.start() <= target.start());
            for earlier in gone.filter_map(Expr::as_name_expr) {
                object = object.without(&earlier.id);
            }
            release(finding, object)
        }
        Expr::Subscript(item) => match deleter_of_item(site, item) {
            Some(deleter) => finding.fact("deleter", deleter).fact("attribute", source),
            None => Finding { range: keyword, ..finding }.fact("item", source),
        },
        Expr::Attribute(attribute) => {
            let asked = through_class(site, attribute, finding.clone());
            // Where the class has no say, there is little to tell: at the word alone.
            let range = if asked.facts == finding.facts { keyword } else { range };
            Finding { range, ..asked }.fact("attribute", source)
        }
        _ => finding,
    }
}

/// The method of the project's own that `del container[key]` calls, elsewhere than in its own body.
fn deleter_of_item(site: &Site, item: &ast::ExprSubscript) -> Option<Fact> {
    const HOOK: &str = "__delitem__";
    if !site.module.may_have_method(HOOK) || site.function().is_some_and(|def| def.name.as_str() == HOOK) {
        return None;
    }
    let definer = site.module.class_of(&*item.value)?.definer(HOOK).filter(is_own)?;
    Some(Fact::from(format!("{}.{HOOK}", definer.name())))
}

/// What the class has to say about `del o.a`.
fn through_class(site: &Site, attribute: &ast::ExprAttribute, finding: Finding) -> Finding {
    let Some(lookup) = site.module.lookup(attribute).filter(|lookup| !lookup.through_class) else { return finding };
    if let Some(definer) = lookup.receiver.definer("__delattr__") {
        let is_inside = site.function().is_some_and(|def| def.name.as_str() == "__delattr__");
        let label = (is_own(&definer) && !is_inside).then(|| format!("{}.__delattr__", definer.name()));
        return finding.fact("deleter", label.map(Fact::from));
    }
    let member = &lookup.member;
    let label = format!("{}.{}", member.owner.name(), member.name);
    match &member.kind {
        MemberKind::CachedProperty => finding.fact("recomputed", Fact::from(label)),
        MemberKind::Descriptor(class) if lookup.step == Step::DataDescriptor => match Shape::of(*class).delete {
            Some(delete) => finding.fact("deleter", Fact::from(delete.label())),
            None => finding.fact("refuser", Fact::from(class.name())),
        },
        MemberKind::Property { deleter: true, .. } => finding.fact("deleter", Fact::from(format!("{label}.fdel"))),
        MemberKind::Property { .. } if is_own(&member.owner) => finding.fact("no_deleter", Fact::from(label)),
        _ => finding,
    }
}

/// `sys.getrefcount(x)`: how many references there are to count.
fn count(site: &Site, call: &ast::ExprCall, findings: &mut Findings) -> Option<()> {
    let argument = call.arguments.args.first()?;
    if !site.module.may_be(&call.func, &["sys.getrefcount"]) {
        return None;
    }
    if !site.module.callee(call)?.is("sys.getrefcount") {
        return None;
    }
    let immortal = immortal(argument).then(|| Fact::from(site.module.source(argument.range())));
    if immortal.is_some() {
        findings.push(Finding::new("memory/immortal-objects", argument.range()).fact("literal", immortal.clone()));
    }
    let local = match argument {
        Expr::Name(name) if site.function().is_some_and(|def| is_local(def, &name.id)) => {
            Some(Fact::from(name.id.as_str()))
        }
        _ => None,
    };
    let object = match argument {
        Expr::Name(name) => object_of(site, &name.id),
        _ => None,
    };
    let mut finding = Finding::new("memory/getrefcount", call.func.range())
        .fact("argument", Fact::from(site.module.source(argument.range())))
        .fact("local", local.clone())
        .fact("immortal", immortal);
    if let Some(kind) = shared_kind(site.module, argument) {
        let source = Fact::from(site.module.source(argument.range()));
        finding = finding.fact("shared", source).fact("shared_kind", Fact::from(kind));
    }
    if let Some(object) = object {
        let is_certain = object.in_module && !object.escaped && object.slots.is_empty();
        finding = finding
            .fact("result", is_certain.then(|| Fact::from(object.names.len() + 1)))
            .fact("made_at", (!is_certain).then(|| Fact::from(object.made_at)))
            .fact("names", Fact::from(object.names));
    }
    findings.push(finding);
    if let Some(range) = compared(site) {
        let finding = Finding::new("memory/refcount-compared", range)
            .fact("call", Fact::from(site.module.source(call.range())))
            .fact("local", local);
        findings.push(finding);
    }
    Some(())
}

fn is_local(def: &ast::StmtFunctionDef, name: &str) -> bool {
    binds(&def.body, name) || def.parameters.iter().any(|parameter| parameter.name().as_str() == name)
}

/// Objects that are immortal from Python 3.12 on, whatever the build.
fn immortal(literal: &Expr) -> bool {
    match literal {
        Expr::NoneLiteral(_) | Expr::BooleanLiteral(_) | Expr::EllipsisLiteral(_) => true,
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(int) => int.as_u16().is_some_and(|int| int <= 256),
            _ => false,
        },
        _ => false,
    }
}

/// The type of the argument, if the interpreter makes some objects of it immortal from Python 3.12 on, and which these are is
/// not said here.
fn shared_kind(module: &Module, argument: &Expr) -> Option<String> {
    const KINDS: &[&str] = &["builtins.bytes", "builtins.int", "builtins.str", "builtins.tuple"];
    if immortal(argument) {
        return None;
    }
    match module.class_reference(argument) {
        Some(class) => (!is_own(&class)).then(|| "type".to_string()),
        None => module.class_of(argument).filter(|class| class.symbol().is_any(KINDS)).map(|class| class.name()),
    }
}

/// The range of the call, when its number, perhaps with a number added, is compared with a number.
fn compared(site: &Site) -> Option<TextRange> {
    let mut inner = site.node.range();
    let range = inner;
    for node in site.enclosing() {
        match node {
            AnyNodeRef::ExprBinOp(operation) if operation.right.is_number_literal_expr() => inner = operation.range(),
            AnyNodeRef::ExprCompare(compare) => {
                let others = std::iter::once(&*compare.left).chain(&compare.comparators);
                let mut others = others.filter(|other| other.range() != inner);
                let is_exact = compare.ops.iter().all(|op| matches!(op, ast::CmpOp::Eq | ast::CmpOp::NotEq));
                return (is_exact && others.all(Expr::is_number_literal_expr)).then_some(range);
            }
            _ => return None,
        }
    }
    None
}
