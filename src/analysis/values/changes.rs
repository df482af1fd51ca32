//! What the code of a metaclass, a hook or a class decorator does to the members of a class, read off its shape.

use std::collections::BTreeSet;

use ruff_db::files::File;
use ruff_db::parsed::parsed_module;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, AnyRootNodeRef, Expr, NodeIndex, Stmt};

use super::super::database::Db;
use super::super::syntax_index::last_name;
use super::classes::Classification;
use super::index::{NodeNumber, number};
use super::modules::Evaluator;
use super::{ClassRef, Node};

/// What happens to members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Entries are taken out of mappings, or set under computed names: descriptors and markers may be replaced.
    pub is_selective: bool,
    /// The code goes through a namespace and sets its entries anew: whatever is in it may be replaced.
    pub rewrites: bool,
    /// The code goes through one namespace and sets entries, of this or of another object, under computed names.
    pub copies: bool,
    /// The names that are set as they are written.
    pub names: BTreeSet<String>,
}

impl Changes {
    /// Anything may happen, though functions and constants are left in place by nearly all.
    pub fn unknown() -> Self {
        Self { is_selective: true, ..Self::default() }
    }

    pub fn add(&mut self, other: &Self) {
        self.is_selective |= other.is_selective;
        self.rewrites |= other.rewrites;
        self.names.extend(other.names.iter().cloned());
    }
}

/// What the function at a node does.
#[salsa::tracked(returns(ref))]
pub(super) fn changes_of(db: &dyn Db, file: File, node: NodeNumber) -> Changes {
    let parsed = parsed_module(db, db.program_file(file).python_file(db)).load(db);
    let AnyRootNodeRef::Stmt(Stmt::FunctionDef(def)) = parsed.get_by_index(NodeIndex::from(node)) else {
        return Changes::default();
    };
    let mut finder = Finder::default();
    finder.visit_body(&def.body);
    // A container made here and given to nobody is not what the class is made from.
    let is_own = |object: &String| finder.made.contains(object) && !finder.given.contains(object);
    let rewrites = finder.walked.iter().any(|object| finder.set.contains(object));
    let is_selective = finder.is_selective || finder.set.iter().chain(&finder.emptied).any(|object| !is_own(object));
    let copies = !finder.walked.is_empty() && finder.set.iter().any(|object| !is_own(object));
    Changes { is_selective, rewrites, copies, names: finder.names }
}

impl Evaluator<'_> {
    /// What a metaclass does to the members of its classes, read off the shape of its code.
    pub fn changes_by(&self, metaclass: &ClassRef) -> Changes {
        let Some(order) = self.mro(metaclass) else { return Changes::unknown() };
        let mut changes = Changes::default();
        for class in &order {
            match class {
                ClassRef::Source(node) => {
                    let name = self.class_name(class);
                    let is_known = matches!(
                        name.as_deref(),
                        Some("abc.ABCMeta" | "typing._ProtocolMeta" | "typing_extensions._ProtocolMeta")
                    );
                    if !is_known {
                        self.add_changes(&mut changes, *node, &["__new__", "__init__", "__prepare__", "__call__"]);
                    }
                }
                ClassRef::C(_) => {}
                ClassRef::Made(_) => return Changes::unknown(),
            }
        }
        changes
    }

    /// What `__init_subclass__` of the bases does.
    pub fn changes_by_hooks(&self, facts: &Classification) -> Changes {
        let Some(order) = &facts.mro else { return Changes::unknown() };
        let mut changes = Changes::default();
        for class in order.iter().skip(1) {
            if let ClassRef::Source(node) = class {
                self.add_changes(&mut changes, *node, &["__init_subclass__"]);
            }
        }
        changes
    }

    /// Adds what methods of these names do to a namespace or a class.
    fn add_changes(&self, changes: &mut Changes, node: Node, methods: &[&str]) {
        let source = self.source(node.file);
        let Some(class) = source.class(node.number) else { return };
        for statement in &class.body {
            if statement.as_function_def_stmt().is_some_and(|def| methods.contains(&def.name.as_str())) {
                changes.add(changes_of(self.db, node.file, number(statement)));
            }
        }
    }
}

#[derive(Default)]
struct Finder {
    is_selective: bool,
    names: BTreeSet<String>,
    /// The variables whose entries a loop goes through.
    walked: BTreeSet<String>,
    /// The variables that get entries or attributes under computed names.
    set: BTreeSet<String>,
    /// The variables from which entries are taken, or which get those of another.
    emptied: BTreeSet<String>,
    /// The variables that are assigned new containers, and nothing else.
    made: BTreeSet<String>,
    /// The variables that are bound to anything else, or given to a function.
    given: BTreeSet<String>,
}

impl Finder {
    /// Notes an entry of `object` that is set or taken out under a computed name.
    fn entry(&mut self, object: &Expr, is_set: bool) {
        match object {
            Expr::Name(name) if is_set => _ = self.set.insert(name.id.to_string()),
            Expr::Name(name) => _ = self.emptied.insert(name.id.to_string()),
            // A registry that the class holds is not its namespace.
            Expr::Attribute(attribute) => self.is_selective |= attribute.attr.as_str() == "__dict__",
            _ => self.is_selective = true,
        }
    }

    fn assignment(&mut self, target: &Expr, value: Option<&Expr>) {
        match target {
            Expr::Name(name) if value.is_some_and(is_new_container) => _ = self.made.insert(name.id.to_string()),
            Expr::Name(name) => _ = self.given.insert(name.id.to_string()),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|target| self.assignment(target, None));
            }
            Expr::Starred(starred) => self.assignment(&starred.value, None),
            _ => {}
        }
    }

    fn call(&mut self, call: &ast::ExprCall) {
        let arguments = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
        for argument in arguments {
            let argument = argument.as_starred_expr().map_or(argument, |starred| &starred.value);
            self.given.extend(argument.as_name_expr().map(|name| name.id.to_string()));
        }
        match &*call.func {
            Expr::Name(name) if matches!(name.id.as_str(), "setattr" | "delattr") => match &*call.arguments.args {
                [_, Expr::StringLiteral(name), ..] => _ = self.names.insert(name.value.to_str().to_string()),
                [object, ..] => self.entry(object, true),
                [] => {}
            },
            Expr::Attribute(name) if matches!(name.attr.as_str(), "pop" | "popitem" | "update" | "clear") => {
                self.entry(&name.value, false);
            }
            _ => {}
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Finder {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprSubscript(item) if item.ctx.is_store() || item.ctx.is_del() => {
                match (&*item.slice, &*item.value) {
                    (Expr::StringLiteral(name), Expr::Name(_)) if item.ctx.is_store() => {
                        self.names.insert(name.value.to_str().to_string());
                    }
                    (Expr::StringLiteral(_), _) if item.ctx.is_store() => {}
                    (_, object) => self.entry(object, item.ctx.is_store()),
                }
            }
            AnyNodeRef::ExprAttribute(target) if target.ctx.is_store() && target.value.is_name_expr() => {
                self.names.insert(target.attr.to_string());
            }
            AnyNodeRef::ExprCall(call) => self.call(call),
            AnyNodeRef::StmtAssign(assign) => {
                assign.targets.iter().for_each(|target| self.assignment(target, Some(&assign.value)));
            }
            AnyNodeRef::StmtAnnAssign(assign) => self.assignment(&assign.target, assign.value.as_deref()),
            AnyNodeRef::ExprNamed(named) => self.assignment(&named.target, Some(&named.value)),
            AnyNodeRef::WithItem(item) => {
                item.optional_vars.iter().for_each(|target| self.assignment(target, None));
            }
            AnyNodeRef::StmtFor(statement) => {
                self.assignment(&statement.target, None);
                self.walked.extend(walked(&statement.iter).map(str::to_string));
            }
            AnyNodeRef::StmtReturn(ast::StmtReturn { value: Some(value), .. }) => {
                self.given.extend(value.as_name_expr().map(|name| name.id.to_string()));
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// A container written out, or made by one of the usual classes.
fn is_new_container(expr: &Expr) -> bool {
    const CLASSES: &[&str] = &["Counter", "OrderedDict", "defaultdict", "deque", "dict", "list", "set"];
    match expr {
        Expr::Dict(_) | Expr::DictComp(_) | Expr::List(_) | Expr::ListComp(_) | Expr::Set(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => last_name(&call.func).is_some_and(|name| CLASSES.contains(&name)),
        _ => false,
    }
}

/// The variable whose namespace a loop goes through: `ns.items()`, `cls.__dict__.items()`, `vars(cls).items()`, also within
/// `list(…)`.
fn walked(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if matches!(method.attr.as_str(), "items" | "keys") => walked(&method.value),
            Expr::Name(name) if matches!(name.id.as_str(), "list" | "tuple" | "sorted" | "vars" | "dir") => {
                walked(call.arguments.args.first()?)
            }
            _ => None,
        },
        Expr::Attribute(attribute) if attribute.attr.as_str() == "__dict__" => walked(&attribute.value),
        Expr::Name(name) => Some(name.id.as_str()),
        _ => None,
    }
}
