//! The namespace in a metaclass's `__new__` and `__init__`: what is put into it, and what is looked up in it.
//!
//! Silent when the method names another object by the same name, and when the metaclass has a `__prepare__`: then the
//! namespace may hold more than the body bound.

use ruff_python_ast::{self as ast, AnyNodeRef, CmpOp, Expr, NodeKind};

use super::metaclass_hooks::{classes, local_value, namespace_parameter, provided};
use super::method_body::{find_own, is_name, mentions, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Site};
use crate::text::{Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/namespace-entry", "metaclasses/namespace-read"],
    nodes: &[NodeKind::ExprSubscript, NodeKind::ExprCall, NodeKind::ExprCompare],
    detect,
};

/// A metaclass's `__new__` or `__init__`.
pub(super) struct Hook<'a, 's> {
    pub def: &'a ast::StmtFunctionDef,
    pub metaclass: Class<'s>,
    /// The parameter for the namespace.
    pub namespace: &'a str,
}

impl<'a, 's> Hook<'a, 's> {
    /// The hook whose own code the node is.
    pub fn around(site: &Site<'a, 's>) -> Option<Self> {
        let def = site.function()?;
        if !matches!(def.name.as_str(), "__new__" | "__init__") || site.is_type_checking() {
            return None;
        }
        let statement = site.class()?;
        let is_method = statement.body.iter().any(|statement| statement.range() == def.range());
        let metaclass = site.module.class(statement).filter(|class| is_method && class.is_metaclass())?;
        let namespace = namespace_parameter(def)?;
        let is_rebound = find_own(&def.body, |node| match node {
            AnyNodeRef::ExprName(name) => (name.id == namespace && !name.ctx.is_load()).then_some(()),
            _ => None,
        });
        let is_plain = is_rebound.is_none() && metaclass.definer("__prepare__").is_none();
        is_plain.then_some(Self { def, metaclass, namespace })
    }

    /// As it is called: `ServiceMeta.__new__`.
    pub fn label(&self) -> String {
        format!("{}.{}", self.metaclass.name(), self.def.name)
    }

    /// The classes of this file for which it runs.
    pub fn built(&self, site: &Site<'_, 's>) -> Vec<Class<'s>> {
        let mut found = classes(site.module);
        found.retain(|class| {
            class.metaclass().and_then(|found| found.class.definer(self.def.name.as_str())) == Some(self.metaclass)
        });
        found
    }
}

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    match site.node {
        AnyNodeRef::ExprSubscript(item) if item.ctx.is_store() => entry(site, item, findings),
        AnyNodeRef::ExprSubscript(item) if item.ctx.is_load() => {
            let key = item.slice.as_string_literal_expr()?;
            // Behind `"key" in namespace` it is read only where it is there.
            let test = format!("in {}", site.module.source(&*item.value));
            let is_guarded = site.enclosing().any(|node| match node {
                AnyNodeRef::StmtIf(branches) => {
                    let tested = site.module.source(&*branches.test);
                    tested.contains(&test) && tested.contains(key.value.to_str())
                }
                AnyNodeRef::ExprBoolOp(_) | AnyNodeRef::ExprIf(_) => site.module.source(node.range()).contains(&test),
                _ => false,
            });
            if is_guarded {
                return None;
            }
            read(site, &item.value, Some(key.value.to_str()), &Missing::KeyError, findings)
        }
        AnyNodeRef::ExprCompare(compare) => {
            let ([op @ (CmpOp::In | CmpOp::NotIn)], [container]) = (&*compare.ops, &*compare.comparators) else {
                return None;
            };
            let key = compare.left.as_string_literal_expr().map(|key| key.value.to_str());
            let answer = if *op == CmpOp::In { "False" } else { "True" };
            read(site, container, key, &Missing::Gives(answer.to_string()), findings)
        }
        AnyNodeRef::ExprCall(call) => {
            let function = call.func.as_attribute_expr().filter(|function| function.attr.as_str() == "get")?;
            let (key, default) = match &*call.arguments.args {
                [key] => (key, "None"),
                [key, default] => (key, site.module.source(default)),
                _ => return None,
            };
            let key = key.as_string_literal_expr().map(|key| key.value.to_str());
            read(site, &function.value, key, &Missing::Gives(default.to_string()), findings)
        }
        _ => None,
    }
}

/// `namespace["key"] = value`.
fn entry(site: &Site, item: &ast::ExprSubscript, findings: &mut Findings) -> Option<()> {
    let key = item.slice.as_string_literal_expr()?.value.to_str();
    let AnyNodeRef::StmtAssign(assign) = site.parent()? else { return None };
    let [Expr::Subscript(target)] = assign.targets.as_slice() else { return None };
    if target.range() != item.range() || key.starts_with("__") {
        return None;
    }
    let hook = Hook::around(site).filter(|hook| is_name(&item.value, hook.namespace))?;
    let is_late = hook.def.name.as_str() == "__init__" || {
        let making = making_calls(&hook);
        if making.is_empty() {
            return None;
        }
        making.iter().all(|call| call.end() <= item.start())
    };
    let finding = Finding::new("metaclasses/namespace-entry", item.range())
        .fact("entry", Fact::from(site.module.source(item)))
        .fact("key", Fact::from(key))
        .fact("namespace", Fact::from(hook.namespace))
        .fact("metaclass", Fact::from(hook.metaclass.name()));
    if is_late {
        findings.push(finding.fact("late", Fact::from(hook.label())));
        return Some(());
    }
    let built = hook.built(site);
    let names = built.iter().map(Class::name).collect::<Vec<_>>();
    let is_every = is_for_every_class(site, &hook, item.range());
    let pair = built.iter().find_map(|class| {
        let base = built.iter().find(|base| *base != class && class.is_subclass_of(base))?;
        Some((class.name(), base.name()))
    });
    let (subclass, base) = pair.filter(|_| is_every).unzip();
    findings.push(
        finding
            .fact("attribute", Fact::from(key))
            .fact("every", is_every.then(|| Fact::from(hook.metaclass.name())))
            .fact("classes", Fact::from(names))
            .fact("subclass", subclass.map(Fact::from))
            .fact("base", base.map(Fact::from))
            .fact("own_value", own_value(&hook, &assign.value).map(|value| Fact::from(site.module.source(value)))),
    );
    Some(())
}

/// The calls `….__new__(…)` that are handed the namespace.
fn making_calls(hook: &Hook) -> Vec<TextRange> {
    let mut found = vec![];
    own_nodes(&hook.def.body, |node| {
        if let AnyNodeRef::ExprCall(call) = node
            && call.func.as_attribute_expr().is_some_and(|function| function.attr.as_str() == "__new__")
            && call.arguments.iter_source_order().any(|argument| mentions(argument.value(), hook.namespace))
        {
            found.push(call.range());
        }
    });
    found
}

/// Whether the statement stands directly in the method and no `return` comes before.
fn is_for_every_class(site: &Site, hook: &Hook, range: TextRange) -> bool {
    let is_direct = matches!(site.enclosing().nth(1), Some(AnyNodeRef::StmtFunctionDef(_)));
    let returned = find_own(&hook.def.body, |node| match node {
        AnyNodeRef::StmtReturn(statement) => (statement.end() <= range.start()).then_some(()),
        _ => None,
    });
    is_direct && returned.is_none()
}

/// The value, if it is made from the namespace and nothing else of what the class has, and not changed afterwards.
fn own_value<'a>(hook: &Hook<'a, '_>, value: &'a Expr) -> Option<&'a Expr> {
    let made = local_value(hook.def, value);
    if let Expr::Name(local) = value {
        let mut mentioned = 0;
        own_nodes(&hook.def.body, |node| {
            mentioned += usize::from(matches!(node, AnyNodeRef::ExprName(name) if name.id == local.id));
        });
        if mentioned != 2 {
            return None;
        }
    }
    let is_copy = matches!(made, Expr::DictComp(_) | Expr::ListComp(_) | Expr::SetComp(_));
    let reads_bases = parameter(hook.def, 2).is_some_and(|bases| mentions(made, bases));
    (is_copy && mentions(made, hook.namespace) && !reads_bases).then_some(made)
}

/// What a look-up gives when the body did not bind the name.
enum Missing {
    Gives(String),
    KeyError,
}

fn read(site: &Site, container: &Expr, key: Option<&str>, missing: &Missing, findings: &mut Findings) -> Option<()> {
    let hook = Hook::around(site).filter(|hook| is_name(container, hook.namespace))?;
    if key.is_some_and(|key| provided(&hook.metaclass).iter().any(|provided| provided.name == key)) {
        return None;
    }
    let finding = Finding::new("metaclasses/namespace-read", site.node.range())
        .fact("read", Fact::from(site.module.source(site.node)))
        .fact("namespace", Fact::from(hook.namespace));
    let Some(key) = key.filter(|key| !is_implicit(key) && !is_changed(&hook)) else {
        findings.push(finding);
        return Some(());
    };
    let sets = |class: &Class| class.own_member(key).is_some_and(|member| member.kind != MemberKind::Slot);
    let built = hook.built(site);
    let setters: Vec<_> = built.iter().filter(|class| sets(class)).map(Class::name).collect();
    let heirs: Vec<&Class> = built
        .iter()
        .filter(|class| !sets(class) && class.mro_is_complete() && found_in(class, &sets).is_some())
        .collect();
    let setter = heirs.first().and_then(|heir| found_in(heir, &sets));
    let member = setter.and_then(|setter| setter.own_member(key));
    let gives = match missing {
        Missing::Gives(value) => Some(Fact::from(value.clone())),
        Missing::KeyError => None,
    };
    let fails = matches!(missing, Missing::KeyError).then(|| Fact::from("KeyError"));
    findings.push(
        finding
            .fact("key", Fact::from(key))
            .fact("setters", Fact::from(setters))
            .fact("heirs", Fact::from(heirs.iter().map(|class| class.name()).collect::<Vec<_>>()))
            .fact("attribute", heirs.first().map(|heir| Fact::from(format!("{}.{key}", heir.name()))))
            .fact("setter", setter.map(|setter| Fact::from(setter.name())))
            .fact("set_at", member.as_ref().and_then(|member| member.place.clone()).map(Fact::from))
            .fact("value", member.and_then(|member| member.source).map(Fact::from))
            .fact("gives", gives)
            .fact("fails", fails),
    );
    Some(())
}

/// The class that `class` has something from.
fn found_in<'s>(class: &Class<'s>, has: &dyn Fn(&Class) -> bool) -> Option<Class<'s>> {
    class.mro().into_iter().find(|class| has(class))
}

/// Names that the class statement binds by itself, or that never become attributes as they are.
fn is_implicit(key: &str) -> bool {
    const IMPLICIT: &[&str] =
        &["__module__", "__qualname__", "__doc__", "__annotations__", "__classcell__", "__slots__", "__orig_bases__"];
    const NEWER: &[&str] = &["__firstlineno__", "__static_attributes__", "__annotate__", "__annotate_func__"];
    IMPLICIT.contains(&key) || NEWER.contains(&key) || key == "__type_params__" || key == "__classdict__"
}

/// Whether the method puts entries in, or takes some out, under names that are not written out.
fn is_changed(hook: &Hook) -> bool {
    let changed = find_own(&hook.def.body, |node| match node {
        AnyNodeRef::ExprSubscript(item) => {
            let is_changed = !item.ctx.is_load() && is_name(&item.value, hook.namespace);
            (is_changed && !(item.ctx.is_store() && item.slice.is_string_literal_expr())).then_some(())
        }
        AnyNodeRef::ExprCall(call) => {
            let function = call.func.as_attribute_expr()?;
            let changes = matches!(function.attr.as_str(), "update" | "pop" | "popitem" | "clear" | "setdefault");
            (changes && is_name(&function.value, hook.namespace)).then_some(())
        }
        _ => None,
    });
    changed.is_some()
}
