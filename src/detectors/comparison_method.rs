//! `def __lt__` and its kind: which comparisons the class still lacks, and what other operands meet.

use ruff_python_ast::{self as ast, Expr, NodeKind};

use super::class_reading::is_own;
use super::method_body::{attribute_of, is_name};
use super::method_shape::SpecialMethod;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/comparison"], nodes: &[NodeKind::StmtFunctionDef], detect };

/// The methods, what they answer, and the method that answers for the other operand.
const ORDERS: &[(&str, &str, &str)] =
    &[("__ge__", ">=", "__le__"), ("__gt__", ">", "__lt__"), ("__le__", "<=", "__ge__"), ("__lt__", "<", "__gt__")];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let names = ["__ge__", "__gt__", "__le__", "__lt__", "__ne__"];
    let method = SpecialMethod::at(site, &names)?;
    let finding = Finding::new("datamodel/comparison", method.def.name.range())
        .fact("class", Fact::from(method.statement.name.as_str()));
    findings.push(if method.def.name.as_str() == "__ne__" {
        unequal(site, &method, finding)?
    } else {
        ordered(site, &method, finding)?
    });
    Some(())
}

fn ordered(site: &Site, method: &SpecialMethod, finding: Finding) -> Option<Finding> {
    let (name, sign, reflected) = ORDERS.iter().find(|(name, ..)| *name == method.def.name.as_str())?;
    let is_derived = gets_more(method);
    // `a < b` is asked of `b.__gt__` as well, so one of the two is enough.
    let answers = |(own, _, other): &&(&str, &str, &str)| own != name && other != name;
    let lacking: Vec<String> = ORDERS
        .iter()
        .filter(answers)
        .filter(|(own, _, other)| !is_derived && method.lacks(own) && method.lacks(other))
        .map(|(_, sign, _)| format!("a {sign} b"))
        .collect();
    let read = method.unchecked_read();
    let refusal = method.refusal();
    if lacking.is_empty() && read.is_none() && refusal.is_none() {
        return None;
    }
    Some(
        finding
            .fact("operator", Fact::from(*sign))
            .fact("reflected", Fact::from(*reflected))
            .fact("lacking", Fact::from(lacking))
            .fact("reads", read.map(|read| Fact::from(site.module.source(read))))
            .fact("refused_at", refusal.and_then(|raise| site.module.place(raise.range())).map(Fact::from)),
    )
}

/// Whether a decorator of the class or of a base may write comparisons.
fn gets_more(method: &SpecialMethod) -> bool {
    method.class.mro().iter().filter(|class| is_own(class)).any(|class| {
        class.with_statement(|module, statement| {
            statement.decorator_list.iter().any(|decorator| {
                let named = ast::helpers::map_callable(&decorator.expression);
                !module.symbol(named).is_some_and(|symbol| symbol.is("typing.final"))
            })
        })
    })
}

fn unequal(site: &Site, method: &SpecialMethod, finding: Finding) -> Option<Finding> {
    let eq = method.class.definer("__eq__").filter(is_own);
    let negated = match method.returned()[..] {
        [Expr::UnaryOp(ast::ExprUnaryOp { op: ast::UnaryOp::Not, operand, .. })] => Some(&**operand),
        _ => None,
    };
    let (own, operand) = (method.own()?, method.operand()?);
    let compares = negated.and_then(Expr::as_compare_expr).is_some_and(|comparison| {
        let is_equality = matches!(&*comparison.ops, [ast::CmpOp::Eq]);
        is_equality && is_name(&comparison.left, own) && is_name(&comparison.comparators[0], operand)
    });
    let calls = negated.and_then(Expr::as_call_expr).filter(|call| attribute_of(&call.func, own) == Some("__eq__"));
    let declines = eq.is_some_and(|class| {
        class
            .with_statement(|_, statement| {
                let def = super::method_body::method(&statement.body, "__eq__")?;
                super::method_shape::returned(def)
                    .into_iter()
                    .find(|value| is_name(value, "NotImplemented"))
                    .map(|_| ())
            })
            .is_some()
    });
    let name = || Fact::from(method.statement.name.as_str());
    let alone = method.lacks("__eq__") && !gets_more(method);
    let compares = compares && method.is_all_in_sight();
    let calls = calls.filter(|_| method.is_all_in_sight());
    if !compares && calls.is_none() && !alone {
        return None;
    }
    Some(
        finding
            .fact("inverts", calls.filter(|_| declines).map(|call| Fact::from(site.module.source(call))))
            .fact("needless", (compares || (calls.is_some() && !declines)).then(name))
            .fact("alone", alone.then(name)),
    )
}
