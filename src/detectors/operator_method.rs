//! `def __add__` and its kind: what follows from how the method is written and from what the class lacks beside it.
//!
//! Silent where nothing does.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::method_body::{attribute_of, find_own, is_name};
use super::method_shape::{SpecialMethod, ends_in_return};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::Site;
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "datamodel/binary-operator",
        "datamodel/in-place-operator",
        "datamodel/reflected-operator",
        "datamodel/unary-operator",
    ],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

/// The operators of two operands: the part of their methods' names, the sign, and whether operands may change places.
const OPERATORS: &[(&str, &str, bool)] = &[
    ("add", "+", true),
    ("and", "&", true),
    ("floordiv", "//", false),
    ("lshift", "<<", false),
    ("matmul", "@", false),
    ("mod", "%", false),
    ("mul", "*", true),
    ("or", "|", true),
    ("pow", "**", false),
    ("rshift", ">>", false),
    ("sub", "-", false),
    ("truediv", "/", false),
    ("xor", "^", true),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let name = def.name.strip_prefix("__")?.strip_suffix("__")?;
    let operator = |stem: Option<&str>| OPERATORS.iter().find(|(known, ..)| Some(*known) == stem);
    let method = SpecialMethod::at(site, &[def.name.as_str()])?;
    let finding = if let Some(finding) = divided(&method) {
        finding
    } else if let Some((stem, sign, _)) = operator(Some(name)) {
        binary(site, &method, stem, sign)?
    } else if let Some((stem, sign, swaps)) = operator(name.strip_prefix('r')) {
        reflected(site, &method, stem, sign, *swaps)?
    } else if let Some((stem, sign, _)) = operator(name.strip_prefix('i')) {
        in_place(site, &method, stem, sign)?
    } else {
        unary(site, &method)?
    };
    findings.push(finding);
    Some(())
}

/// `divmod`, which no operator goes through.
fn divided(method: &SpecialMethod) -> Option<Finding> {
    match method.def.name.as_str() {
        "__divmod__" => {
            let parts = [("__floordiv__", "a // b"), ("__mod__", "a % b")];
            let lacking = parts.iter().filter(|(part, _)| method.lacks(part)).map(|(_, shown)| (*shown).to_string());
            let lacking: Vec<String> = lacking.collect();
            (!lacking.is_empty())
                .then(|| start("datamodel/binary-operator", method).fact("no_parts", Fact::from(lacking)))
        }
        "__rdivmod__" => method.lacks("__divmod__").then(|| {
            let name = Fact::from(method.statement.name.as_str());
            start("datamodel/reflected-operator", method).fact("divided", name)
        }),
        _ => None,
    }
}

fn start(concept: &str, method: &SpecialMethod) -> Finding {
    Finding::new(concept, method.def.name.range()).fact("class", Fact::from(method.statement.name.as_str()))
}

fn binary(site: &Site, method: &SpecialMethod, stem: &str, sign: &str) -> Option<Finding> {
    let reflected = format!("__r{stem}__");
    let module = site.module;
    let read = method.unchecked_read();
    let refusal = method.refusal();
    let changed = changed_and_returned(method);
    let lacks_reflected = method.lacks(&reflected);
    let is_one_sided = lacks_reflected && read.is_none() && !checks_own_kind(site, method);
    // Numbers on the left are to be expected only where numbers are on the right.
    let is_one_sided = is_one_sided && takes_numbers(method.def);
    let is_summed = stem == "add" && lacks_reflected && site.module.text().contains("sum(");
    if read.is_none() && refusal.is_none() && changed.is_none() && !is_one_sided && !is_summed {
        return None;
    }
    Some(
        start("datamodel/binary-operator", method)
            .fact("operator", Fact::from(sign))
            .fact("reflected", Fact::from(reflected))
            .fact("reads", read.map(|read| Fact::from(module.source(read))))
            .fact("refused_at", refusal.and_then(|raise| module.place(raise.range())).map(Fact::from))
            .fact("changed", changed.map(|target| Fact::from(module.source(target))))
            .fact("one_sided", is_one_sided.then(|| Fact::from(method.statement.name.as_str())))
            .fact("summed", is_summed.then(|| Fact::from(method.statement.name.as_str()))),
    )
}

fn is_always_true(method: &SpecialMethod) -> bool {
    method.lacks("__bool__") && method.lacks("__len__")
}

/// Whether the body asks whether the operand is of a class that is no builtin type.
fn checks_own_kind(site: &Site, method: &SpecialMethod) -> bool {
    let Some(operand) = method.operand() else { return false };
    let is_builtin = |class: &Expr| {
        let mut classes = match class {
            Expr::Tuple(tuple) => tuple.elts.iter().collect(),
            other => vec![other],
        };
        classes.retain(|class| site.module.symbol(*class).is_some_and(|symbol| symbol.module == "builtins"));
        !classes.is_empty()
    };
    let checks = |node: AnyNodeRef| match node {
        AnyNodeRef::ExprCall(call) if is_name(&call.func, "isinstance") => match &*call.arguments.args {
            [object, class] if is_name(object, operand) => Some(!is_builtin(class)),
            _ => None,
        },
        AnyNodeRef::ExprCall(call) if is_name(&call.func, "type") => Some(true),
        _ => None,
    };
    let mut found = vec![];
    super::method_body::own_nodes(&method.def.body, |node| found.extend(checks(node)));
    !found.is_empty() && found.iter().all(|is_own| *is_own)
}

/// Whether the method looks for numbers in its operand, or says that it takes them.
fn takes_numbers(def: &ast::StmtFunctionDef) -> bool {
    const NUMBERS: &[&str] = &["int", "float", "complex", "Number", "Integral", "Real", "Decimal", "Fraction"];
    let mentions = |expr: &Expr| NUMBERS.iter().any(|number| super::method_body::mentions(expr, number));
    let annotation = def.parameters.args.get(1).and_then(|operand| operand.parameter.annotation.as_deref());
    let is_arithmetic = find_own(&def.body, |node| match node {
        AnyNodeRef::ExprBinOp(operation) => operation
            .right
            .as_name_expr()
            .filter(|name| def.parameters.args.get(1).is_some_and(|operand| operand.parameter.name.id == name.id))
            .map(|_| ()),
        AnyNodeRef::ExprCall(call) if is_name(&call.func, "isinstance") => {
            call.arguments.args.get(1).filter(|class| mentions(class)).map(|_| ())
        }
        _ => None,
    });
    annotation.is_some_and(mentions) || is_arithmetic.is_some()
}

/// The attribute that a method sets on the object that it then returns.
fn changed_and_returned<'a>(method: &SpecialMethod<'a, '_>) -> Option<&'a ast::ExprAttribute> {
    let own = method.own()?;
    if !method.returns_itself() {
        return None;
    }
    find_own(&method.def.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() && is_name(&target.value, own) => Some(target),
        _ => None,
    })
}

fn reflected(site: &Site, method: &SpecialMethod, stem: &str, sign: &str, may_swap: bool) -> Option<Finding> {
    let plain = format!("__{stem}__");
    let swapped = if may_swap { None } else { swapped(method, stem) };
    let lacks_plain = method.lacks(&plain);
    if swapped.is_none() && !lacks_plain {
        return None;
    }
    Some(
        start("datamodel/reflected-operator", method)
            .fact("operator", Fact::from(sign))
            .fact("swapped", swapped.map(|value| Fact::from(site.module.source(value))))
            .fact("plain", lacks_plain.then(|| Fact::from(plain))),
    )
}

/// The whole body `return self - other`: the operands have changed places.
fn swapped<'a>(method: &SpecialMethod<'a, '_>, stem: &str) -> Option<&'a Expr> {
    let [value] = method.returned()[..] else { return None };
    let operation = value.as_bin_op_expr()?;
    let (own, operand) = (method.own()?, method.operand()?);
    let is_same = operation.op.dunder() == format!("__{stem}__");
    (is_same && is_name(&operation.left, own) && is_name(&operation.right, operand)).then_some(value)
}

fn in_place(site: &Site, method: &SpecialMethod, stem: &str, sign: &str) -> Option<Finding> {
    let values = method.returned();
    let finding = start("datamodel/in-place-operator", method).fact("operator", Fact::from(sign));
    let name = || Fact::from(method.statement.name.as_str());
    if super::nodes::is_generator(method.def) || method.def.is_async {
        return None;
    }
    if values.is_empty() && !ends_in_return(&method.def.body) {
        return Some(finding.fact("nothing", name()));
    }
    let lacks_plain = method.lacks(&format!("__{stem}__"));
    let made = match values.as_slice() {
        [only @ Expr::Call(_)] if is_made_of_own_class(method, only) => Some(Fact::from(site.module.source(*only))),
        _ => None,
    };
    if made.is_none() && !lacks_plain {
        return None;
    }
    let plain = lacks_plain.then(|| Fact::from(format!("__{stem}__")));
    Some(finding.fact("made", made).fact("plain", plain))
}

/// `Class(…)`, `type(self)(…)` or `self.__class__(…)`.
fn is_made_of_own_class(method: &SpecialMethod, value: &Expr) -> bool {
    let Some(call) = value.as_call_expr() else { return false };
    let Some(own) = method.own() else { return false };
    match &*call.func {
        Expr::Name(name) => name.id == method.statement.name.id,
        Expr::Call(inner) => is_name(&inner.func, "type"),
        other => attribute_of(other, own) == Some("__class__"),
    }
}

fn unary(site: &Site, method: &SpecialMethod) -> Option<Finding> {
    let finding = Finding::new("datamodel/unary-operator", method.def.name.range());
    let sign = match method.def.name.as_str() {
        "__neg__" => "-",
        "__pos__" => "+",
        "__invert__" => "~",
        "__abs__" => "abs",
        _ => return None,
    };
    let changed = changed_and_returned(method).map(|target| Fact::from(site.module.source(target)));
    let negated = (sign == "~" && is_always_true(method)).then(|| Fact::from(method.statement.name.as_str()));
    let is_same = sign == "+" && changed.is_none() && method.returns_itself() && changes_in_place(method);
    if changed.is_none() && negated.is_none() && !is_same {
        return None;
    }
    let same = is_same.then(|| Fact::from(method.statement.name.as_str()));
    let shown = if sign == "abs" { "abs(a)".to_string() } else { format!("{sign}a") };
    Some(finding.fact("shown", Fact::from(shown)).fact("changed", changed).fact("negated", negated).fact("same", same))
}

/// Whether another method than `__init__` sets an attribute of the object.
fn changes_in_place(method: &SpecialMethod) -> bool {
    let mut methods = method.statement.body.iter().filter_map(ast::Stmt::as_function_def_stmt);
    methods.any(|def| {
        let own = super::method_body::parameter(def, 0);
        let set = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() => {
                own.filter(|own| is_name(&target.value, own)).map(|_| ())
            }
            _ => None,
        });
        set.is_some() && !matches!(def.name.as_str(), "__init__" | "__new__" | "__post_init__")
    })
}
