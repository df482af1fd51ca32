//! A decorator that keeps what it decorates: in which registry, and what the workspace puts there.

use ruff_python_ast::{self as ast, AnyNodeRef, Decorator, Expr, NodeKind, Stmt};

use super::method_body::{each_node, find_own, is_name, parameter, runs_before_return};
use super::reference_count::root;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["metaclasses/decorator-registry"],
    nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign],
    detect,
};

/// The most files that are looked through for uses of a decorator.
const FILES: usize = 50;

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if !matches!(site.node, AnyNodeRef::ExprCall(_) | AnyNodeRef::StmtAssign(_)) || site.is_type_checking() {
        return None;
    }
    let inner = site.function()?;
    let kept = kept(inner)?;
    if kept.range != site.node.range() {
        return None;
    }
    // The decorator itself, or the function around it that makes it.
    let mut outer = site.enclosing().filter_map(|node| match node {
        AnyNodeRef::StmtFunctionDef(def) => Some(def),
        _ => None,
    });
    let def = outer.find(|def| def.range() == inner.range())?;
    let maker = outer.next().filter(|maker| returns(maker, def.name.as_str()));
    let (decorator, is_factory) = match maker {
        Some(maker) => (maker, true),
        None => (def, false),
    };
    if is_bound_in(def, kept.registry) || maker.is_some_and(|maker| is_bound_in(maker, kept.registry)) {
        return None;
    }
    let entries = decorated(site.module, decorator, is_factory, kept.key.and_then(|key| key_of(decorator, key)));
    // A function that stores its argument is a decorator where something is decorated by it.
    if entries.is_empty() {
        return None;
    }
    let own = (is_in_class(site) && !decorator.decorator_list.iter().any(is_static)).then(|| parameter(decorator, 0));
    let (readers, read_at) = readers(site, decorator, kept.registry).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let mut objects: Vec<String> = entries.iter().filter_map(|entry| entry.object.clone()).collect();
    objects.dedup();
    let is_own = own.flatten().is_some_and(|own| root(kept.registry).is_some_and(|(name, _)| name.id == own));
    let finding = Finding::new("metaclasses/decorator-registry", site.node.range())
        .fact("decorator", Fact::from(decorator.name.as_str()))
        .fact("replaced", (!returns(def, kept.given)).then(|| Fact::from(decorator.name.as_str())))
        .fact("objects", (is_own && objects.len() > 1).then(|| Fact::from(objects)))
        .fact("readers", Fact::from(readers))
        .fact("read_at", Fact::from(read_at.into_iter().flatten().collect::<Vec<_>>()));
    let is_each = runs_before_return(&def.body, kept.range);
    let finding = match replaced(&entries).filter(|_| is_each) {
        Some((first, last)) => finding
            .fact("twice", last.key.clone().map(Fact::from))
            .fact("last_entry", Fact::from(last.name.as_str()))
            .fact("first_entry", Fact::from(first.name.as_str())),
        None => finding,
    };
    let registry = Fact::from(site.module.source(kept.registry));
    let entries = Fact::from(entries.iter().map(Entry::shown).collect::<Vec<_>>());
    findings.push(match is_each {
        true => finding.fact("registry", registry).fact("entries", entries),
        false => finding.fact("some", registry).fact("candidates", entries),
    });
    Some(())
}

fn is_in_class(site: &Site) -> bool {
    site.class().is_some()
}

fn is_static(decorator: &Decorator) -> bool {
    decorator.expression.as_name_expr().is_some_and(|name| name.id == "staticmethod")
}

/// A function or class below the decorator.
#[derive(Clone)]
struct Entry {
    name: String,
    /// The key under which it is kept, where it is written out.
    key: Option<String>,
    /// The object whose method the decorator is.
    object: Option<String>,
    /// Whether it stands in the file of the decorator.
    is_here: bool,
}

impl Entry {
    fn shown(&self) -> String {
        match &self.key {
            Some(key) => format!("{key}: {}", self.name),
            None => self.name.clone(),
        }
    }
}

/// An entry that another one under the same key replaces, and that one.
fn replaced(entries: &[Entry]) -> Option<(&Entry, &Entry)> {
    entries.iter().enumerate().find_map(|(index, first)| {
        let is_same = |other: &&Entry| {
            first.key.is_some()
                && other.key == first.key
                && other.object == first.object
                && other.is_here
                && first.is_here
        };
        Some((first, entries[index + 1..].iter().find(is_same)?))
    })
}

/// The number of the factory's parameter that is the key.
fn key_of(maker: &ast::StmtFunctionDef, key: &str) -> Option<(usize, String)> {
    let mut parameters = maker.parameters.iter_non_variadic_params();
    let index = parameters.position(|parameter| parameter.name().as_str() == key)?;
    let is_bound = matches!(parameter(maker, 0), Some("self" | "cls"));
    Some((index.checked_sub(usize::from(is_bound))?, key.to_string()))
}

/// What reads the registry elsewhere in the file: an attribute of an object by the methods of its class, or by the class's name
/// anywhere; a name by functions. What stands in `filler` is the filling.
pub(super) fn readers(site: &Site, filler: &ast::StmtFunctionDef, registry: &Expr) -> Vec<(String, Option<Place>)> {
    let Some((name, attribute)) = root(registry) else { return vec![] };
    let class = site.class().filter(|_| attribute.is_some());
    let mut defs: Vec<(Option<&ast::StmtClassDef>, &ast::StmtFunctionDef)> = vec![];
    for statement in &site.module.syntax().body {
        match statement {
            Stmt::FunctionDef(def) => defs.push((None, def)),
            Stmt::ClassDef(owner) => {
                defs.extend(owner.body.iter().filter_map(Stmt::as_function_def_stmt).map(|def| (Some(owner), def)));
            }
            _ => {}
        }
    }
    let reads = |owner: Option<&ast::StmtClassDef>, def: &ast::StmtFunctionDef| {
        let is_in_class = owner.zip(class).is_some_and(|(owner, class)| owner.range() == class.range());
        find_own(&def.body, |node| match (node, attribute) {
            (AnyNodeRef::ExprAttribute(found), Some(attribute)) => {
                let receiver = found.value.as_name_expr()?.id.as_str();
                let is_own = is_in_class && Some(receiver) == parameter(def, 0);
                let is_of_class = class.is_some_and(|class| class.name.as_str() == receiver);
                let is_read = found.attr.as_str() == attribute && found.ctx.is_load();
                (is_read && (is_own || is_of_class)).then(|| found.range())
            }
            (AnyNodeRef::ExprName(found), None) => (found.id == name.id && found.ctx.is_load()).then(|| found.range()),
            _ => None,
        })
    };
    let others = defs.into_iter().filter(|(_, def)| def.range() != filler.range() && kept(def).is_none());
    let found = others.filter_map(|(owner, def)| {
        let label = owner.map_or_else(|| def.name.to_string(), |owner| format!("{}.{}", owner.name, def.name));
        Some((label, site.module.place(reads(owner, def)?)))
    });
    found.collect()
}

/// Where a decorator keeps what it is given.
pub(super) struct Kept<'a> {
    pub registry: &'a Expr,
    pub range: TextRange,
    /// The parameter that is kept.
    pub given: &'a str,
    /// The name that is the key, of an entry that is replaced when the key comes again.
    pub key: Option<&'a str>,
}

/// `registry[…] = f`, `registry.append(f)`, `.add(f)` or `registry.setdefault(…).append(f)`, for what the function is given.
pub(super) fn kept(def: &ast::StmtFunctionDef) -> Option<Kept<'_>> {
    let given = match (parameter(def, 0)?, parameter(def, 1)) {
        ("self" | "cls", Some(second)) => second,
        (first, _) => first,
    };
    find_own(&def.body, |node| {
        let (registry, range, key) = match node {
            AnyNodeRef::StmtAssign(assign) if is_name(&assign.value, given) => match assign.targets.as_slice() {
                [Expr::Subscript(target)] => {
                    let key = target.slice.as_name_expr().map(|key| key.id.as_str());
                    (&*target.value, assign.range(), key)
                }
                _ => return None,
            },
            AnyNodeRef::ExprCall(call) => (added(call, given)?, call.range(), None),
            _ => return None,
        };
        let lasts = match registry {
            Expr::Name(name) => name.id.as_str() != given,
            Expr::Attribute(attribute) => !is_name(&attribute.value, given),
            _ => false,
        };
        lasts.then_some(Kept { registry, range, given, key })
    })
}

fn added<'a>(call: &'a ast::ExprCall, given: &str) -> Option<&'a Expr> {
    let function = call.func.as_attribute_expr()?;
    let [argument] = &*call.arguments.args else { return None };
    if !matches!(function.attr.as_str(), "append" | "add") || !is_name(argument, given) {
        return None;
    }
    match &*function.value {
        Expr::Call(inner) => {
            let inner = inner.func.as_attribute_expr()?;
            (inner.attr.as_str() == "setdefault").then_some(&inner.value)
        }
        Expr::Subscript(item) => Some(&item.value),
        other => Some(other),
    }
}

/// Whether a plain name is bound in the function: then it does not outlive the call.
fn is_bound_in(def: &ast::StmtFunctionDef, registry: &Expr) -> bool {
    let Expr::Name(name) = registry else { return false };
    let is_parameter = def.parameters.iter().any(|parameter| parameter.name() == name.id.as_str());
    is_parameter
        || find_own(&def.body, |node| match node {
            AnyNodeRef::ExprName(other) => (other.id == name.id && !other.ctx.is_load()).then_some(()),
            _ => None,
        })
        .is_some()
}

/// Whether all that the function returns is the name.
fn returns(def: &ast::StmtFunctionDef, name: &str) -> bool {
    let values = super::method_shape::returned(def);
    !values.is_empty() && values.iter().all(|value| is_name(value, name))
}

/// The functions and classes of the workspace below the decorator.
fn decorated(
    module: &Module,
    decorator: &ast::StmtFunctionDef,
    is_factory: bool,
    key: Option<(usize, String)>,
) -> Vec<Entry> {
    let Some(place) = module.place(decorator.name.range()) else { return vec![] };
    let name = decorator.name.as_str();
    let mut found = below(module, name, &place, is_factory, key.as_ref());
    let here = found.len();
    let files = module.snapshot().files_with_word(name).unwrap_or_default();
    for path in files.into_iter().filter(|path| Some(path.as_path()) != module.path()).take(FILES) {
        if let Ok(other) = module.snapshot().module(&path) {
            found.extend(below(&other, name, &place, is_factory, key.as_ref()));
        }
    }
    for entry in &mut found[here..] {
        entry.is_here = false;
    }
    found
}

fn below(module: &Module, name: &str, place: &Place, is_factory: bool, key: Option<&(usize, String)>) -> Vec<Entry> {
    let mut found = vec![];
    each_node(&module.syntax().body, |node| {
        let (decorators, decorated) = match node {
            AnyNodeRef::StmtFunctionDef(def) => (&def.decorator_list, def.name.as_str()),
            AnyNodeRef::StmtClassDef(class) => (&class.decorator_list, class.name.as_str()),
            _ => return,
        };
        // From the bottom up, as they run.
        let uses = decorators.iter().rev().filter(|decorator| is_use(module, decorator, name, place, is_factory));
        found.extend(uses.map(|decorator| {
            let callee = ast::helpers::map_callable(&decorator.expression);
            let object = callee.as_attribute_expr().map(|attribute| module.source(&*attribute.value).to_string());
            let key =
                decorator.expression.as_call_expr().zip(key).and_then(|(call, key)| written_key(module, call, key));
            Entry { name: decorated.to_string(), key, object, is_here: true }
        }));
    });
    found
}

/// The key that a use of the decorator gives, where it is a literal.
fn written_key(module: &Module, call: &ast::ExprCall, (index, name): &(usize, String)) -> Option<String> {
    let keyword = call.arguments.find_keyword(name).map(|keyword| &keyword.value);
    let given = keyword.or_else(|| call.arguments.args.get(*index))?;
    given.is_literal_expr().then(|| module.source(given).to_string())
}

fn is_use(module: &Module, decorator: &Decorator, name: &str, place: &Place, is_factory: bool) -> bool {
    let callee = ast::helpers::map_callable(&decorator.expression);
    let last = match callee {
        Expr::Name(found) => module.imported_name(&found.id),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    last == name
        && decorator.expression.is_call_expr() == is_factory
        && module.function(callee).and_then(|function| function.place).as_ref() == Some(place)
}

/// The registry of a decorator that gives back what it keeps, and where it does so: `def` is the decorator or what makes it.
pub(super) fn kept_by(
    module: &Module,
    def: &ast::StmtFunctionDef,
    is_factory: bool,
) -> Option<(String, Option<Place>)> {
    let decorator = match is_factory {
        true => {
            def.body.iter().filter_map(Stmt::as_function_def_stmt).find(|inner| returns(def, inner.name.as_str()))?
        }
        false => def,
    };
    let kept = kept(decorator)?;
    if !runs_before_return(&decorator.body, kept.range) {
        return None;
    }
    if is_bound_in(decorator, kept.registry) || is_factory && is_bound_in(def, kept.registry) {
        return None;
    }
    Some((module.source(kept.registry).to_string(), module.place(kept.range)))
}
