//! What `inspect` answers of a class or function of the project, where the code around it does not show that: an inherited
//! docstring, the file of a wrapper, an order of several bases, an abstract class that can be instantiated.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::is_own;
use super::nodes::with_def;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["attributes/inspect-answer"], nodes: &[NodeKind::ExprCall, NodeKind::ExprCompare], detect };

const ASKED: &[&str] = &[
    "inspect.Signature",
    "inspect.getdoc",
    "inspect.getfile",
    "inspect.getmro",
    "inspect.getsourcefile",
    "inspect.isabstract",
];
/// Decorators that put a function of their own file in the place of what they decorate.
const WRAPPING: &[&str] = &["contextlib.asynccontextmanager", "contextlib.contextmanager", "functools.singledispatch"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    findings.extend(match site.node {
        AnyNodeRef::ExprCall(call) => of_call(site, call),
        AnyNodeRef::ExprCompare(compare) => compared(site, compare),
        _ => None,
    });
    Some(())
}

fn of_call(site: &Site, call: &ast::ExprCall) -> Option<Finding> {
    let symbol = site.callee_among(call, ASKED)?;
    let module = site.module;
    let finding =
        Finding::new("attributes/inspect-answer", call.func.range()).fact("code", Fact::from(module.source(call)));
    if symbol.last() == "Signature" {
        let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
        let [Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
        let is_set = target.attr.as_str() == "__signature__";
        return is_set.then(|| finding.fact("told", Fact::from(module.source(&*target.value))));
    }
    let [asked] = &*call.arguments.args else { return None };
    if matches!(symbol.last(), "getfile" | "getsourcefile") {
        let function = module.function(asked).filter(|function| function.is_decorated)?;
        let decorator = with_def(module, &function, |home, def| {
            let [decorator] = def.decorator_list.as_slice() else { return None };
            let made_by = home.symbol(&decorator.expression).filter(|symbol| symbol.is_any(WRAPPING))?;
            Some((home.source(&decorator.expression).to_string(), made_by.module))
        })?;
        return Some(
            finding
                .fact("function", Fact::from(module.source(asked)))
                .fact("decorator", Fact::from(decorator.0))
                .fact("file", Fact::from(format!("{}.py", decorator.1))),
        );
    }
    let class = module.class_reference(asked).filter(is_own).filter(Class::mro_is_complete)?;
    let finding = finding.fact("class", Fact::from(class.name()));
    match symbol.last() {
        "getmro" => {
            let order: Vec<String> = class.mro().iter().map(Class::name).collect();
            let is_forked = class.with_statement(|_, statement| statement.bases().len() > 1);
            let is_own = class.mro().iter().all(|base| is_own(base) || base.is("builtins.object"));
            (is_forked && is_own && order.len() <= 6).then(|| finding.fact("order", Fact::from(order.join(", "))))
        }
        "isabstract" => {
            let is_abc = class.metaclass().is_some_and(|metaclass| metaclass.class.is("abc.ABCMeta"));
            let has_nothing = super::abstract_class::missing(&class).is_some_and(|missing| missing.is_empty());
            (is_abc && has_nothing).then(|| finding.fact("complete", Fact::from(class.name())))
        }
        _ => inherited_text(&class, finding),
    }
}

/// The docstring of a base, where the class has none.
fn inherited_text(class: &Class, finding: Finding) -> Option<Finding> {
    let has_text = |class: &Class| {
        class.with_statement(|_, statement| match statement.body.first() {
            Some(Stmt::Expr(first)) => first.value.is_string_literal_expr(),
            _ => false,
        })
    };
    let sets = |class: &Class| class.binds("__doc__") || super::class_reading::is_dataclass(class);
    let order = class.mro();
    let told = order.iter().find(|base| !is_own(base) || sets(base) || has_text(base))?;
    (told != class && is_own(told) && !sets(told))
        .then(|| finding.fact("teller", Fact::from(told.name())).fact("teller_at", told.place().map(Fact::from)))
}

/// `parameter.default == inspect.Parameter.empty`.
fn compared(site: &Site, compare: &ast::ExprCompare) -> Option<Finding> {
    let module = site.module;
    let [right @ Expr::Attribute(empty)] = &*compare.comparators else { return None };
    let is_equal = matches!(&*compare.ops, [ast::CmpOp::Eq | ast::CmpOp::NotEq]);
    let is_default = matches!(&*compare.left, Expr::Attribute(left) if left.attr.as_str() == "default");
    if !is_equal
        || !is_default
        || empty.attr.as_str() != "empty"
        || !module.is_symbol(&empty.value, "inspect.Parameter")
    {
        return None;
    }
    Some(
        Finding::new("attributes/inspect-answer", right.range())
            .fact("compared", Fact::from(module.source(&*compare.left)))
            .fact("empty", Fact::from(module.source(right))),
    )
}
