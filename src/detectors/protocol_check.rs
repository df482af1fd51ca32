//! `isinstance(x, P)` and `issubclass(C, P)` for a protocol of the project: what is compared, and when it is refused.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::{is_own, is_protocol, set_in_init};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["metaclasses/protocol-check"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let name = call.func.as_name_expr().map(|name| name.id.as_str())?;
    let [object, tested] = &*call.arguments.args else { return None };
    if !matches!(name, "isinstance" | "issubclass") || site.is_type_checking() {
        return None;
    }
    let class = site.module.class_reference(tested).filter(is_own).filter(is_protocol)?;
    let is_checkable = class.with_statement(|module, statement| {
        statement.decorator_list.iter().any(|decorator| {
            const CHECKABLE: &[&str] = &["typing.runtime_checkable", "typing_extensions.runtime_checkable"];
            module.symbol(&decorator.expression).is_some_and(|symbol| symbol.is_any(CHECKABLE))
        })
    });
    let (methods, data) = all_members(&class);
    let finding = Finding::new("metaclasses/protocol-check", call.range())
        .fact("code", Fact::from(site.module.source(call)))
        .fact("protocol", Fact::from(class.name()))
        .fact("protocol_at", class.place().map(Fact::from));
    let shown = Fact::from(site.module.source(object));
    findings.push(if !is_checkable {
        finding.fact("unchecked", Fact::from(class.name()))
    } else if name == "issubclass" && !data.is_empty() {
        finding.fact("data", Fact::from(data))
    } else if name == "isinstance" && (!methods.is_empty() || !data.is_empty()) {
        let implementers = implementers(&class, &methods, &data);
        let members: Vec<String> = methods.into_iter().chain(data).collect();
        finding
            .fact("members", Fact::from(members))
            .fact("argument", shown)
            .fact("implementers", Fact::from(implementers.unwrap_or_default()))
    } else {
        return None;
    });
    Some(())
}

/// The members of a protocol and of those it extends.
fn all_members(class: &Class) -> (Vec<String>, Vec<String>) {
    let (mut methods, mut data) = (vec![], vec![]);
    for class in class.mro().iter().filter(|class| is_own(class)) {
        members(class, &mut methods, &mut data);
    }
    (methods, data)
}

/// The classes of the workspace whose objects a check of names lets pass; `None` where that is not known.
fn implementers(protocol: &Class, methods: &[String], data: &[String]) -> Option<Vec<String>> {
    let module = protocol.module();
    let candidates = module.snapshot().classes_defining(methods.first()?).ok()?;
    let has_all = |class: &Class| {
        methods.iter().all(|name| class.definer(name).is_some_and(|definer| is_own(&definer) && !is_protocol(&definer)))
            && data.iter().all(|name| class.definer(name).is_some() || set_in_init(class, name).is_some())
    };
    // Elsewhere in the workspace may be another program.
    let home = module.path()?.to_path_buf();
    let near = module.snapshot().run_with(methods.first()?, &home);
    let is_near = |class: &Class| {
        let path = class.module().path().map(std::path::Path::to_path_buf);
        path.is_some_and(|path| path == home || near.contains(&path))
    };
    let is_meant = |class: &Class| {
        is_near(class) && class != protocol && is_own(class) && class.mro_is_complete() && !is_protocol(class)
    };
    let found = candidates.iter().filter(|class| is_meant(class) && has_all(class));
    Some(found.map(Class::name).collect())
}

/// The most files that are looked through for checks.
const FILES: usize = 50;

/// Where the workspace asks `isinstance` for a protocol, and the classes whose objects pass; `None` where nothing asks, or that
/// is not known.
pub(super) fn asked(protocol: &Class) -> Option<(Vec<Place>, Vec<String>)> {
    let home = protocol.module();
    let mut found = checks(&home, protocol);
    let files = home.snapshot().files_with_word(&protocol.name())?;
    for path in files.into_iter().filter(|path| Some(path.as_path()) != home.path()).take(FILES) {
        if let Ok(other) = home.snapshot().module(&path) {
            found.extend(checks(&other, protocol));
        }
    }
    let (methods, data) = all_members(protocol);
    (!found.is_empty()).then(|| (found, implementers(protocol, &methods, &data).unwrap_or_default()))
}

/// `isinstance(x, P)` and `isinstance(x, (P, …))` in a file.
fn checks(module: &Module, protocol: &Class) -> Vec<Place> {
    let name = protocol.name();
    let mut found = vec![];
    for call in module.calls_of("isinstance") {
        let [_, tested] = &*call.arguments.args else { continue };
        let asked = match tested {
            Expr::Tuple(tuple) => &tuple.elts[..],
            other => std::slice::from_ref(other),
        };
        let is_it = |class: &Expr| {
            module.may_be(class, &[&name]) && module.class_reference(class).is_some_and(|class| class == *protocol)
        };
        if asked.iter().any(is_it) {
            found.extend(module.place(call.range()));
        }
    }
    found
}

/// The members that a protocol asks for: functions, and what is only annotated or assigned.
fn members(class: &Class, methods: &mut Vec<String>, data: &mut Vec<String>) {
    class.with_statement(|_, statement| {
        for member in &statement.body {
            let (name, kind): (&str, &mut Vec<String>) = match member {
                Stmt::FunctionDef(def) => {
                    let is_property = def.decorator_list.iter().any(
                        |decorator| matches!(&decorator.expression, ast::Expr::Name(name) if name.id == "property"),
                    );
                    (def.name.as_str(), if is_property { &mut *data } else { &mut *methods })
                }
                Stmt::AnnAssign(field) => match field.target.as_name_expr() {
                    Some(name) => (name.id.as_str(), &mut *data),
                    None => continue,
                },
                _ => continue,
            };
            if name != "__init__" && !kind.iter().any(|known| known == name) {
                kind.push(name.to_string());
            }
        }
    });
}
