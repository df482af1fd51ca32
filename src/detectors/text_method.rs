//! `def __repr__`, `__str__` and `__format__`: which texts of the object they do not make, and where they never end.
//!
//! Silent for the ordinary ones.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind};

use super::class_reading::{is_built_plainly, is_dataclass, subclasses};
use super::method_body::{find_own, is_name, own_nodes};
use super::method_shape::{SpecialMethod, without_docstring};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["datamodel/representation"], nodes: &[NodeKind::StmtFunctionDef], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let method = SpecialMethod::at(site, &["__format__", "__repr__", "__str__"])?;
    let finding = Finding::new("datamodel/representation", method.def.name.range());
    let finding = match method.def.name.as_str() {
        "__repr__" => represented(site, &method, finding),
        "__str__" => shown(site, &method, finding),
        _ => formatted(&method, finding),
    };
    finding.facts.iter().next()?;
    let class = Fact::from(method.statement.name.as_str());
    findings.push(finding.fact("class", class).fact("method", Fact::from(method.def.name.as_str())));
    Some(())
}

fn represented(site: &Site, method: &SpecialMethod, finding: Finding) -> Finding {
    let is_circular = |text: Text| match text {
        Text::Repr => true,
        // `object.__str__` is `repr`.
        Text::Str => method.lacks("__str__"),
    };
    let replaced: Vec<String> =
        subclasses(site.module, &method.class).iter().filter(|class| makes_own_repr(class)).map(Class::name).collect();
    finding
        .fact("itself", text_of_itself(site, method, &is_circular).map(Fact::from))
        .fact("replaced", Fact::from(replaced))
}

/// Whether `@dataclass` writes a `__repr__` into the class.
fn makes_own_repr(class: &Class) -> bool {
    let is_asked_not_to = class.with_statement(|_, statement| {
        statement.decorator_list.iter().any(|decorator| {
            let call = decorator.expression.as_call_expr();
            call.is_some_and(|call| {
                call.arguments.find_keyword("repr").is_some()
                    || call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
            })
        })
    });
    is_dataclass(class) && !class.binds("__repr__") && !is_asked_not_to
}

fn shown(site: &Site, method: &SpecialMethod, finding: Finding) -> Finding {
    let class = &method.class;
    let name = || Fact::from(method.statement.name.as_str());
    let is_circular = |text: Text| matches!(text, Text::Str);
    let is_exception = is_built_plainly(class) && class.inherits("builtins.BaseException");
    let gets_repr = class.mro().iter().any(is_dataclass);
    let is_plain_error = is_exception
        && class.definer("__repr__").is_none_or(|definer| definer.symbol().module == "builtins")
        && !gets_repr;
    finding
        .fact("itself", text_of_itself(site, method, &is_circular).map(Fact::from))
        .fact("no_repr", (method.lacks("__repr__") && !gets_repr).then(name))
        .fact("error", (is_plain_error && !is_constant(method)).then(name))
}

/// Whether the method returns nothing but literals: the class's name says as much.
fn is_constant(method: &SpecialMethod) -> bool {
    method.returned().iter().all(|value| value.is_literal_expr())
}

fn formatted(method: &SpecialMethod, finding: Finding) -> Finding {
    let Some(spec) = method.operand() else { return finding };
    let is_read = find_own(&method.def.body, |node| match node {
        AnyNodeRef::ExprName(name) => (name.id == spec).then_some(()),
        AnyNodeRef::ExprCall(call) => (is_name(&call.func, "locals") || is_name(&call.func, "super")).then_some(()),
        _ => None,
    });
    finding.fact("spec", is_read.is_none().then(|| Fact::from(spec)))
}

/// The two texts of an object.
#[derive(Clone, Copy)]
enum Text {
    Repr,
    Str,
}

/// A text of the object itself that the method makes in any case, and with it calls itself.
fn text_of_itself<'m>(site: &'m Site, method: &SpecialMethod, is_circular: &dyn Fn(Text) -> bool) -> Option<&'m str> {
    let own = method.own()?;
    let body @ [ast::Stmt::Return(_)] = without_docstring(&method.def.body) else { return None };
    let (mut found, mut is_conditional) = (None, false);
    own_nodes(body, |node| {
        is_conditional |= matches!(
            node,
            AnyNodeRef::ExprIf(_)
                | AnyNodeRef::ExprBoolOp(_)
                | AnyNodeRef::Comprehension(_)
                | AnyNodeRef::ExprLambda(_)
        );
        let text = match node {
            AnyNodeRef::InterpolatedElement(part) if is_name(&part.expression, own) && part.format_spec.is_none() => {
                match part.conversion {
                    ast::ConversionFlag::None | ast::ConversionFlag::Str => Some(Text::Str),
                    _ => Some(Text::Repr),
                }
            }
            AnyNodeRef::ExprCall(call) => match (&*call.func, &*call.arguments.args) {
                (Expr::Name(name), [only]) if is_name(only, own) && call.arguments.keywords.is_empty() => {
                    match name.id.as_str() {
                        "repr" | "ascii" => Some(Text::Repr),
                        "str" | "format" => Some(Text::Str),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        };
        if text.is_some_and(is_circular) && found.is_none() {
            found = Some(node.range());
        }
    });
    // `__format__` of the class may answer for `{self}`.
    let is_known = method.is_all_in_sight() && method.class.definer("__format__").is_none() && !is_conditional;
    found.filter(|_| is_known).map(|range| site.module.source(range))
}
