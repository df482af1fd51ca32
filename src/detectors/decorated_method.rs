//! Methods below `@property`, `@cached_property`, `@classmethod` and `@staticmethod`, and setters that miss their property.

use ruff_python_ast::{self as ast, AnyNodeRef, Decorator, Expr, NodeKind};

use super::class_reading::{is_own, lacks_dict, set_in_init, subclasses};
use super::method_body::{find_own, is_name, parameter};
use super::method_shape::returned;
use super::property_shape::{Accessors, accessor};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, MemberKind, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "descriptors/cached-property",
        "descriptors/cached-property-slots",
        "descriptors/classmethod",
        "descriptors/property",
        "descriptors/setter-other-name",
        "descriptors/staticmethod",
    ],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    let AnyNodeRef::StmtClassDef(statement) = site.parent()? else { return None };
    let [decorator] = def.decorator_list.as_slice() else { return chained(site, def, statement, findings) };
    if site.is_type_checking() {
        return None;
    }
    if site.is_whole_file && accessor(def).is_none() && !site.module.may_be(&decorator.expression, KNOWN) {
        return None;
    }
    let class = site.module.class(statement)?;
    if accessor(def).is_some() {
        return setter_under_another_name(def, decorator, &class, findings);
    }
    let symbol = site.module.symbol(&decorator.expression)?;
    match symbol.to_string().as_str() {
        _ if !symbol.is_any(KNOWN) => None,
        "builtins.property" => property(site, def, decorator, &class, findings),
        "builtins.classmethod" => bound_method("descriptors/classmethod", site, def, decorator, &class, findings),
        "builtins.staticmethod" => bound_method("descriptors/staticmethod", site, def, decorator, &class, findings),
        _ => cached_property(site, def, decorator, &class, findings),
    }
}

/// `@classmethod` over `@property`, which only some versions read through.
fn chained(
    site: &Site,
    def: &ast::StmtFunctionDef,
    statement: &ast::StmtClassDef,
    findings: &mut Findings,
) -> Option<()> {
    let [outer, inner] = def.decorator_list.as_slice() else { return None };
    let is = |decorator: &Decorator, names: &[&str]| {
        site.module.may_be(&decorator.expression, names)
            && site.module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(names))
    };
    if !is(outer, &["builtins.classmethod"]) || !is(inner, &["builtins.property"]) {
        return None;
    }
    let chained = format!("{}.{}", statement.name, def.name);
    findings
        .push(Finding::new("descriptors/classmethod", outer.expression.range()).fact("chained", Fact::from(chained)));
    Some(())
}

const KNOWN: &[&str] =
    &["builtins.classmethod", "builtins.property", "builtins.staticmethod", "functools.cached_property"];

/// Pushes the finding twice: at the decorator and at the name, where a reader asks.
fn push_at_both(finding: Finding, def: &ast::StmtFunctionDef, decorator: &Decorator, findings: &mut Findings) {
    // A special method's own page says what calls it.
    let is_special = def.name.starts_with("__") && def.name.ends_with("__");
    // Only what is not true of every such method.
    const OF_ALL: &[&str] =
        &["attribute", "class", "deleter_at", "first", "function", "read_only", "setter_at", "subclasses"];
    if !finding.facts.iter().any(|(name, _)| !OF_ALL.contains(&name)) {
        return;
    }
    let name = (!is_special).then(|| def.name.range());
    for range in std::iter::once(decorator.expression.range()).chain(name) {
        findings.push(Finding { range, ..finding.clone() });
    }
}

fn start(concept: &str, def: &ast::StmtFunctionDef, class: &Class) -> Finding {
    Finding::new(concept, TextRange::default())
        .fact("class", Fact::from(class.name()))
        .fact("attribute", Fact::from(def.name.as_str()))
        .fact("function", Fact::from(def.name.as_str()))
}

/// The subclasses in this file whose body binds the same name.
fn overridden(site: &Site, class: &Class, name: &str) -> Vec<String> {
    let subclasses = subclasses(site.module, class).into_iter().filter(|subclass| subclass.binds(name));
    subclasses.map(|subclass| subclass.name()).collect()
}

fn property(
    site: &Site,
    def: &ast::StmtFunctionDef,
    decorator: &Decorator,
    class: &Class,
    findings: &mut Findings,
) -> Option<()> {
    if !findings.wants("descriptors/property") {
        return None;
    }
    let member = class.own_member(&def.name)?;
    let MemberKind::Property { setter, .. } = member.kind else { return None };
    let accessors = Accessors::of(&member);
    let masked_by = class.definer("__getattr__").filter(is_own).filter(|_| !is_plain_read(def, class));
    let lost = (!setter).then(|| lost_setter(class, &def.name)).flatten();
    let masked_at = masked_by.and_then(|class| class.own_member("__getattr__")).and_then(|member| member.place);
    let finding = start("descriptors/property", def, class)
        .fact("read_only", (!setter).then(|| Fact::from(def.name.as_str())))
        .fact("setter_at", accessors.setter.map(Fact::from))
        .fact("deleter_at", accessors.deleter.map(Fact::from))
        .fact("overridden", setter.then(|| Fact::from(overridden(site, class, &def.name))))
        .fact("lost_setter", lost.as_ref().map(|(name, _)| Fact::from(name.as_str())))
        .fact("lost_at", lost.and_then(|(_, at)| at).map(Fact::from))
        .fact("masked_by", masked_by.map(|class| Fact::from(format!("{}.__getattr__", class.name()))))
        .fact("masked_at", masked_at.map(Fact::from));
    push_at_both(finding, def, decorator, findings);
    Some(())
}

/// `return self.name` of what `__init__` sets: nothing in it is likely to raise.
fn is_plain_read(def: &ast::StmtFunctionDef, class: &Class) -> bool {
    let [ast::Stmt::Return(only)] = super::method_shape::without_docstring(&def.body) else { return false };
    let attribute = only.value.as_deref().and_then(Expr::as_attribute_expr);
    attribute.is_some_and(|attribute| {
        parameter(def, 0).is_some_and(|own| is_name(&attribute.value, own))
            && (set_in_init(class, &attribute.attr).is_some() || class.binds(&attribute.attr))
    })
}

/// The setter of the property that this one, without a setter, replaces for the class.
fn lost_setter(class: &Class, name: &str) -> Option<(String, Option<Place>)> {
    let base = class.mro().into_iter().skip(1).find(|base| base.binds(name)).filter(is_own)?;
    let member = base.own_member(name)?;
    let has_setter = matches!(member.kind, MemberKind::Property { setter: true, .. });
    has_setter.then(|| (format!("{}.{name}", base.name()), Accessors::of(&member).setter))
}

fn bound_method(
    concept: &str,
    site: &Site,
    def: &ast::StmtFunctionDef,
    decorator: &Decorator,
    class: &Class,
    findings: &mut Findings,
) -> Option<()> {
    if !findings.wants(concept) {
        return None;
    }
    let subclasses: Vec<String> = subclasses(site.module, class).iter().map(Class::name).collect();
    let of_class = concept == "descriptors/classmethod";
    let first = parameter(def, 0);
    let made = named_class(def, class);
    let stored = first.filter(|_| of_class).and_then(|first| stored_on(def, first));
    let place = |range: TextRange| site.module.place(range).map(Fact::from);
    let finding = start(concept, def, class)
        .fact("first", first.map(Fact::from))
        .fact("made", made.filter(|_| of_class).map(|call| Fact::from(site.module.source(call))))
        .fact("made_at", made.filter(|_| of_class).and_then(|call| place(call.range())))
        .fact("stored", stored.map(|target| Fact::from(site.module.source(target))))
        .fact("stored_at", stored.and_then(|target| place(target.range())))
        .fact("subclasses", Fact::from(subclasses))
        .fact("overridden", Fact::from(overridden(site, class, &def.name)));
    push_at_both(finding, def, decorator, findings);
    Some(())
}

/// `return Owner(…)` in a method of `Owner`: subclasses get the same.
fn named_class<'a>(def: &'a ast::StmtFunctionDef, class: &Class) -> Option<&'a ast::ExprCall> {
    let name = class.name();
    let returned = returned(def);
    let is_made = |value: &&'a Expr| {
        let call = value.as_call_expr()?;
        is_name(&call.func, &name).then_some(call)
    };
    // Who compares with the class, or makes another on purpose, knows of subclasses.
    returned.iter().map(is_made).collect::<Option<Vec<_>>>()?.first().copied()
}

/// `cls.name = …`.
fn stored_on<'a>(def: &'a ast::StmtFunctionDef, first: &str) -> Option<&'a ast::ExprAttribute> {
    find_own(&def.body, |node| match node {
        AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() => is_name(&target.value, first).then_some(target),
        _ => None,
    })
}

fn cached_property(
    site: &Site,
    def: &ast::StmtFunctionDef,
    decorator: &Decorator,
    class: &Class,
    findings: &mut Findings,
) -> Option<()> {
    if findings.wants("descriptors/cached-property") {
        let reset = resets(site, class, &def.name);
        let finding = start("descriptors/cached-property", def, class)
            .fact("reset_at", Fact::from(reset))
            .fact("no_dict", lacks_dict(class).then(|| Fact::from(class.name())));
        for range in [decorator.expression.range(), def.name.range()] {
            findings.push(Finding { range, ..finding.clone() });
        }
    }
    if !findings.wants("descriptors/cached-property-slots") || !lacks_dict(class) {
        return None;
    }
    let slots_at = class.mro().iter().find(|class| class.binds("__slots__")).and_then(Class::place);
    findings.push(
        Finding { range: def.name.range(), ..start("descriptors/cached-property-slots", def, class) }
            .fact("slots_at", slots_at.map(Fact::from)),
    );
    Some(())
}

/// Where this file deletes the attribute from an object of the class.
fn resets(site: &Site, class: &Class, name: &str) -> Vec<crate::text::Place> {
    let mut places = vec![];
    super::method_body::each_node(&site.module.syntax().body, |node| {
        if let AnyNodeRef::ExprAttribute(attribute) = node
            && attribute.ctx.is_del()
            && attribute.attr.as_str() == name
            && site.module.receiver_class(&attribute.value).is_some_and(|receiver| receiver.is_subclass_of(class))
        {
            places.extend(site.module.place(attribute.range()));
        }
    });
    places
}

/// `@level.setter` on a function that is not called `level`.
fn setter_under_another_name(
    def: &ast::StmtFunctionDef,
    decorator: &Decorator,
    class: &Class,
    findings: &mut Findings,
) -> Option<()> {
    let Expr::Attribute(attribute) = &decorator.expression else { return None };
    let property = attribute.value.as_name_expr()?.id.as_str();
    if property == def.name.as_str() || def.name.as_str() == "_" {
        return None;
    }
    let member = class.own_member(property)?;
    let MemberKind::Property { setter, deleter, .. } = member.kind else { return None };
    // `x = x.setter(…)`-like completions elsewhere in the body give the property what it lacks.
    let is_complete = if attribute.attr.as_str() == "deleter" { deleter } else { setter };
    if is_complete || attribute.attr.as_str() == "getter" {
        return None;
    }
    let property_at = Accessors::of(&member).getter;
    findings.push(
        Finding { range: def.name.range(), ..start("descriptors/setter-other-name", def, class) }
            .fact("property", Fact::from(property))
            .fact("accessor", Fact::from(attribute.attr.as_str()))
            .fact("property_at", property_at.map(Fact::from)),
    );
    Some(())
}
