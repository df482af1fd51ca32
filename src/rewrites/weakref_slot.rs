//! `__slots__ = ("x",)` → `__slots__ = ("x", "__weakref__")`

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::{FileEdits, Offer, Rewrite, Target};
use crate::analysis::{Class, Module};
use crate::detectors::Fact;
use crate::text::{Edit, Ranged as _, TextLen as _, TextRange, TextSize};

pub(super) const REWRITE: Rewrite = Rewrite { name: "weakref_slot", offer };

/// Classes whose objects vary in size: no subclass of theirs can be given a slot for weak references.
pub(super) const NEVER_WEAK: &[&str] = &["builtins.bytes", "builtins.int", "builtins.tuple"];

fn offer(target: &Target) -> Option<Offer> {
    let Some(Fact::Code(name)) = target.finding.facts.get("slots_class") else { return None };
    let class = weak_object(target).filter(|class| class.name() == *name)?;
    let title = format!("Add `\"__weakref__\"` to the slots of `{name}` (8 bytes more in each instance)");
    if let Some(base) = class.mro().iter().find(|base| base.symbol().is_any(NEVER_WEAK)) {
        return Offer::refused(title, format!("a subclass of `{}` cannot have that slot", base.name()));
    }
    let edited = class.with_statement(|module, statement| {
        let slots = statement.body.iter().find_map(slots_value)?;
        Some(FileEdits { path: module.path()?.to_path_buf(), edits: with_weakref(module, slots)? })
    });
    match edited {
        Some(file) => Some(Offer::Edit { title, files: vec![file], preserves_behaviour: true }),
        None => Offer::refused(title, "the slots are not written as a tuple, a list or a string in the class"),
    }
}

/// The class of the object that is to be held weakly: the argument of the call, or what is stored.
fn weak_object<'s>(target: &Target<'_, 's>) -> Option<Class<'s>> {
    let module = target.site.module;
    let around = std::iter::once(target.site.node).chain(target.site.enclosing());
    for node in around.take_while(|node| !matches!(node, AnyNodeRef::ModModule(_))) {
        if let AnyNodeRef::ExprCall(call) = node
            && call.func.range() == target.finding.range
        {
            return module.class_of(call.arguments.args.first()?);
        }
    }
    let expr = target.site.expression().filter(|expr| expr.range() == target.finding.range)?;
    module.class_of(expr)
}

fn slots_value(statement: &Stmt) -> Option<&Expr> {
    let (target, value) = match statement {
        Stmt::Assign(assign) => (assign.targets.first()?, &*assign.value),
        Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
        _ => return None,
    };
    (target.as_name_expr()?.id == "__slots__").then_some(value)
}

fn with_weakref(module: &Module, slots: &Expr) -> Option<Vec<Edit>> {
    let quote = if module.source(slots).contains('\'') { '\'' } else { '"' };
    let weakref = format!("{quote}__weakref__{quote}");
    let (elements, empty) = match slots {
        Expr::StringLiteral(_) => {
            return Some(vec![Edit::replace(slots.range(), format!("({}, {weakref})", module.source(slots)))]);
        }
        Expr::Tuple(ast::ExprTuple { elts, parenthesized: true, .. }) => (elts, format!("({weakref},)")),
        Expr::Tuple(tuple) => (&tuple.elts, String::new()),
        Expr::List(list) => (&list.elts, format!("[{weakref}]")),
        _ => return None,
    };
    match elements.last() {
        Some(last) => Some(behind(module, slots, last, &weakref)),
        None => (!empty.is_empty()).then(|| vec![Edit::replace(slots.range(), empty)]),
    }
}

/// One more element, as the last one is written: on a line of its own, or on the same line without a comma at the end.
fn behind(module: &Module, slots: &Expr, last: &Expr, weakref: &str) -> Vec<Edit> {
    let line = module.lines().line_range(module.lines().line(last.start()));
    let indent = module.source(TextRange::new(line.start(), last.start()));
    let rest = module.source(TextRange::new(last.end(), slots.end()));
    let has_comma = rest.starts_with(',');
    if indent.trim().is_empty() && line.end() < slots.end() {
        let newline = module.lines().newline();
        return match has_comma {
            true => vec![Edit::insert(line.end(), format!("{newline}{indent}{weakref},"))],
            false => {
                vec![Edit::insert(last.end(), ","), Edit::insert(line.end(), format!("{newline}{indent}{weakref}"))]
            }
        };
    }
    let is_last = rest.starts_with(",)") || rest.starts_with(",]");
    let comma = if is_last { ','.text_len() } else { TextSize::default() };
    vec![Edit::replace(TextRange::at(last.end(), comma), format!(", {weakref}"))]
}
