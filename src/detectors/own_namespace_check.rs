//! A metaclass that looks for a requirement in the namespace of the class being built, where an inherited one is not.
//!
//! Reported when a base in this file sets the key and a class that derives from it does not repeat it. Silent when the
//! method looks at the bases as well, or at attributes of the finished class.

use ruff_python_ast::{self as ast, AnyNodeRef, CmpOp, Expr, NodeKind};

use super::metaclass_hooks::{classes, conjuncts, finished_class, is_built_by, namespace_parameter};
use super::method_body::{is_name, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/own-namespace-check"], nodes: &[NodeKind::StmtIf], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtIf(branch) = site.node else { return None };
    let def = site.function()?;
    if !matches!(def.name.as_str(), "__new__" | "__init__") || site.is_type_checking() {
        return None;
    }
    let namespace = namespace_parameter(def)?;
    let (test, key) =
        conjuncts(&branch.test).into_iter().find_map(|test| Some((test, tested_key(test, namespace)?)))?;
    if !raises(&branch.body) || looks_further(def) {
        return None;
    }
    let metaclass = site.module.class(site.class()?).filter(Class::is_metaclass)?;
    let built: Vec<Class> = classes(site.module).into_iter().filter(|class| is_built_by(class, &metaclass)).collect();
    let (setters, others): (Vec<Class>, Vec<Class>) = built.into_iter().partition(|class| class.binds(key));
    let inherits = |class: &&Class| setters.iter().any(|setter| class.is_subclass_of(setter));
    let unchecked: Vec<_> = others.iter().filter(inherits).collect();
    let setter = *setters.iter().find(|setter| unchecked.iter().any(|class| class.is_subclass_of(setter)))?;
    let unchecked: Vec<_> = unchecked.into_iter().filter(|class| class.is_subclass_of(&setter)).collect();
    let places: Vec<Place> = unchecked.iter().filter_map(|class| class.place()).collect();
    findings.push(
        Finding::new("metaclasses/own-namespace-check", test.range())
            .fact("namespace", Fact::from(namespace))
            .fact("key", Fact::from(key))
            .fact("setter", Fact::from(setter.name()))
            .fact("set_at", setter.own_member(key).and_then(|member| member.place).map(Fact::from))
            .fact("unchecked", Fact::from(unchecked.iter().map(|class| class.name()).collect::<Vec<_>>()))
            .fact("unchecked_at", Fact::from(places))
            .fact("hook", Fact::from(format!("{}.{}", metaclass.name(), def.name))),
    );
    Some(())
}

/// The key in `"key" in namespace`.
fn tested_key<'a>(test: &'a Expr, namespace: &str) -> Option<&'a str> {
    let compare = test.as_compare_expr()?;
    let ([CmpOp::In], [container]) = (&*compare.ops, &*compare.comparators) else { return None };
    is_name(container, namespace).then_some(())?;
    Some(compare.left.as_string_literal_expr()?.value.to_str())
}

fn raises(body: &[ast::Stmt]) -> bool {
    let mut raises = false;
    own_nodes(body, |node| raises |= matches!(node, AnyNodeRef::StmtRaise(_)));
    raises
}

/// Whether the method looks at what the class inherits: it reads its parameter for the bases, other than to pass it on to
/// the call that makes the class, or it reads attributes of the finished class.
fn looks_further(def: &ast::StmtFunctionDef) -> bool {
    let bases = parameter(def, 2);
    let finished = finished_class(def);
    let mut passed_on = vec![];
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::ExprCall(call) = node
            && call.func.as_attribute_expr().is_some_and(|function| function.attr.as_str() == def.name.as_str())
        {
            passed_on.push(call.range());
        }
    });
    let mut looks = false;
    own_nodes(&def.body, |node| match node {
        AnyNodeRef::ExprName(name) if Some(name.id.as_str()) == bases => {
            looks |= !passed_on.iter().any(|call| call.contains_range(name.range()));
        }
        AnyNodeRef::ExprCall(call) => {
            let reads =
                matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "getattr" | "hasattr" | "dir"));
            looks |= reads;
        }
        AnyNodeRef::ExprAttribute(attribute) => {
            looks |= attribute.ctx.is_load() && finished.is_some_and(|class| is_name(&attribute.value, class));
        }
        _ => {}
    });
    looks
}
