//! `threading.Lock()`: what the lock guards, and where the same data is touched without it.

use std::collections::HashSet;

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::locks::{is_same_lock, locks_of};
use super::nodes::{all_nodes, holds, method, own_nodes};
use super::threads::is_first_parameter;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector { concepts: &["threads/lock"], nodes: &[NodeKind::ExprCall], detect };

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    site.callee_among(call, &["threading.Lock"])?;
    let finding = Finding::new("threads/lock", call.func.range());
    // The lock of a condition, or one that is passed on: what it guards is to be seen elsewhere.
    let Some(AnyNodeRef::StmtAssign(assign)) = site.parent() else { return None };
    let [lock] = assign.targets.as_slice() else { return None };
    let taken: Vec<TextRange> = takers(module, &assign.value);
    // Where nobody here takes it, there is nothing to be said of this one.
    let is_in_class_body = matches!(site.enclosing().nth(1), Some(AnyNodeRef::StmtClassDef(_)));
    if taken.is_empty() && !is_in_class_body {
        return None;
    }
    let guarded =
        site.class().filter(|_| lock.is_attribute_expr()).map(|class| Guarded::of(module, class, &assign.value));
    let (guards, bare) = guarded.map(|guarded| (guarded.names(), guarded.bare.into_iter().next())).unwrap_or_default();
    findings.push(
        finding
            .fact("lock", Fact::from(module.source(lock)))
            .fact("taken_at", Fact::from(taken.iter().filter_map(|range| module.place(*range)).collect::<Vec<Place>>()))
            .fact("guards", Fact::from(guards))
            .fact("bare", bare.as_ref().map(|(name, _)| Fact::from(name.as_str())))
            .fact("bare_at", bare.and_then(|(_, range)| module.place(range)).map(Fact::from)),
    );
    Some(())
}

/// Where the file takes the lock that `made` makes.
fn takers<'m>(module: &'m Module, made: &'m Expr) -> Vec<TextRange> {
    let taken = all_nodes(&module.syntax().body).into_iter().filter_map(|node| match node {
        AnyNodeRef::StmtWith(with) => locks_of(module, with)
            .into_iter()
            .find(|(lock, _)| is_same_lock(module, lock, made))
            .map(|(lock, _)| lock.range()),
        AnyNodeRef::ExprCall(call) => {
            let (receiver, "acquire") = method(call)? else { return None };
            is_same_lock(module, receiver, made).then(|| call.range())
        }
        _ => None,
    });
    taken.collect()
}

/// The attributes that the methods of a class write, with and without the lock.
struct Guarded {
    under: Vec<String>,
    bare: Vec<(String, TextRange)>,
    /// Those that something may write where the lock is perhaps not held.
    doubtful: HashSet<String>,
}

impl Guarded {
    fn of<'m>(module: &'m Module, class: &'m ast::StmtClassDef, made: &'m Expr) -> Self {
        let methods: Vec<_> = class.body.iter().filter_map(Stmt::as_function_def_stmt).collect();
        let (mut under, mut outside) = (vec![], vec![]);
        let mut called_under = HashSet::new();
        let (mut mentioned_outside, mut written) = (HashSet::new(), vec![]);
        for function in &methods {
            let nodes = own_nodes(&function.body);
            let blocks: Vec<_> = nodes.iter().filter_map(|node| block_under(module, *node, made)).collect();
            let acquires =
                nodes.iter().any(|node| matches!(node, AnyNodeRef::ExprCall(call) if is_acquire(module, call, made)));
            let is_under = |node: AnyNodeRef| acquires || blocks.iter().any(|block| holds(block, node.range()));
            for node in &nodes {
                match written_attribute(function, *node) {
                    Some(name) if is_under(*node) => under.push(name),
                    Some(name) if function.name.as_str() != "__init__" => outside.push((name, node.range(), *function)),
                    _ => {}
                }
                if is_under(*node) {
                    called_under.extend(called_on_self(function, *node));
                }
            }
            // A function inside of the method runs at any time, with or without the lock.
            let starts: HashSet<_> = nodes.iter().map(|node| (node.range(), node.kind() as usize)).collect();
            for node in all_nodes(&function.body) {
                let is_own = starts.contains(&(node.range(), node.kind() as usize));
                if is_own && (function.name.as_str() == "__init__" || is_under(node)) {
                    continue;
                }
                mentioned_outside.extend(attribute_of_self(function, node));
                let name = written_attribute(function, node).or_else(|| changed_attribute(function, node));
                written.extend(name.map(|name| (name, function.name.as_str(), is_own)));
            }
        }
        // A helper that is only called under the lock holds it.
        let is_helper = |name: &str| {
            let is_private = name.starts_with('_') && !name.ends_with("__");
            is_private && called_under.contains(name) && !mentioned_outside.contains(name)
        };
        let is_doubtful = |(_, function, is_own): &(String, &str, bool)| !(*is_own && is_helper(function));
        let doubtful = written.into_iter().filter(is_doubtful).map(|(name, ..)| name).collect();
        // A method that is called under the lock may rely on it.
        let bare = outside
            .into_iter()
            .filter(|(name, _, function)| under.contains(name) && !called_under.contains(function.name.as_str()))
            .map(|(name, range, _)| (name, range))
            .collect();
        Self { under, bare, doubtful }
    }

    /// The attributes that are only written under the lock, in the order of the text.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for name in &self.under {
            if !names.contains(name) && !self.doubtful.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// Methods of the built-in containers, texts and numbers that change nothing.
const READING: &[&str] = &[
    "copy",
    "count",
    "decode",
    "encode",
    "endswith",
    "format",
    "get",
    "index",
    "isdisjoint",
    "isoformat",
    "issubset",
    "issuperset",
    "items",
    "join",
    "keys",
    "lower",
    "split",
    "startswith",
    "strip",
    "total_seconds",
    "upper",
    "values",
];

/// `self.total` in `self.total.append(…)`, and in every other call that may change what it refers to.
fn changed_attribute(function: &ast::StmtFunctionDef, node: AnyNodeRef) -> Option<String> {
    let AnyNodeRef::ExprCall(call) = node else { return None };
    let (receiver, name) = method(call)?;
    let attribute = receiver.as_attribute_expr()?;
    let on_self = is_first_parameter(function, attribute.value.as_name_expr()?) && !READING.contains(&name);
    on_self.then(|| format!("self.{}", attribute.attr))
}

/// The body of a `with` statement that holds the lock.
fn block_under<'m>(module: &'m Module, node: AnyNodeRef<'m>, made: &'m Expr) -> Option<&'m [Stmt]> {
    let AnyNodeRef::StmtWith(with) = node else { return None };
    let holds_it = locks_of(module, with).iter().any(|(lock, _)| is_same_lock(module, lock, made));
    holds_it.then_some(with.body.as_slice())
}

fn is_acquire<'m>(module: &'m Module, call: &'m ast::ExprCall, made: &'m Expr) -> bool {
    method(call).is_some_and(|(receiver, name)| name == "acquire" && is_same_lock(module, receiver, made))
}

/// `self.total` in `self.total = …`, `self.total += …` and `self.total[key] = …`.
fn written_attribute(function: &ast::StmtFunctionDef, node: AnyNodeRef) -> Option<String> {
    let attribute = match node {
        AnyNodeRef::ExprAttribute(attribute) if !attribute.ctx.is_load() => attribute,
        AnyNodeRef::ExprSubscript(subscript) if !subscript.ctx.is_load() => subscript.value.as_attribute_expr()?,
        _ => return None,
    };
    let on_self = is_first_parameter(function, attribute.value.as_name_expr()?);
    on_self.then(|| format!("self.{}", attribute.attr))
}

/// `total` in every `self.total`.
fn attribute_of_self(function: &ast::StmtFunctionDef, node: AnyNodeRef) -> Option<String> {
    let AnyNodeRef::ExprAttribute(attribute) = node else { return None };
    is_first_parameter(function, attribute.value.as_name_expr()?).then(|| attribute.attr.to_string())
}

fn called_on_self(function: &ast::StmtFunctionDef, node: AnyNodeRef) -> Option<String> {
    let AnyNodeRef::ExprCall(call) = node else { return None };
    let (receiver, name) = method(call)?;
    is_first_parameter(function, receiver.as_name_expr()?).then(|| name.to_string())
}
