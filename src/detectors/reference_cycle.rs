//! Objects that refer to each other: an object in itself, a callback on its own object, parent and child.

mod keeping;
mod ring;

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_node};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use keeping::{ADDING, breaker, is_strong_container};

use super::finalize::{is_bound_method, uses};
use super::gc_disable::Collector;
use super::reference_count::root;
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Lookup, MemberKind, Module, Site, Step};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector =
    Detector { concepts: &["memory/cyclic-gc"], nodes: &[NodeKind::ExprCall, NodeKind::StmtAssign], detect };

/// The most statements of a function that are searched for the other link.
const STATEMENTS: usize = 400;
const CONTAINERS: &[&str] = &["builtins.list", "collections.deque"];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let finding = cycle(site)?;
    let Collector { off_at, frozen_at } = Collector::of(site.module);
    findings.push(finding.fact("off_at", off_at.map(Fact::from)).fact("frozen_at", frozen_at.map(Fact::from)));
    Some(())
}

/// The cycle that a node closes.
fn cycle(site: &Site) -> Option<Finding> {
    let finding = match site.node {
        AnyNodeRef::ExprCall(call) => self_containing(site.module, call).or_else(|| ring::of_call(site, call))?,
        AnyNodeRef::StmtAssign(assign) => assigned(site, assign).or_else(|| ring::of_assignment(site, assign))?,
        _ => return None,
    };
    (!site.is_type_checking()).then_some(finding)
}

/// The most places of a file that are looked at, and named.
const LOOKED_AT: usize = 300;
const NAMED: usize = 4;

/// Where a file makes cycles.
pub(super) fn cycles(module: &Module) -> Vec<Place> {
    struct Walk<'a, 'm, 's> {
        module: &'m Module<'s>,
        ancestors: Vec<AnyNodeRef<'a>>,
        left: usize,
        found: Vec<Place>,
    }
    impl<'a> SourceOrderVisitor<'a> for Walk<'a, '_, '_> {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            if matches!(node, AnyNodeRef::StmtAssign(_) | AnyNodeRef::ExprCall(_)) && self.left > 0 {
                self.left -= 1;
                let site = Site::at(self.module, node, &self.ancestors);
                self.found.extend(cycle(&site).and_then(|found| self.module.place(found.range)));
            }
            self.ancestors.push(node);
            let is_enough = self.left == 0 || self.found.len() >= NAMED;
            if is_enough { TraversalSignal::Skip } else { TraversalSignal::Traverse }
        }

        fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
            self.ancestors.pop();
        }
    }
    let mut walk = Walk { module, ancestors: vec![], left: LOOKED_AT, found: vec![] };
    walk_node(&mut walk, module.syntax().into());
    walk.found
}

/// `a.append(a)`.
fn self_containing(module: &Module, call: &ast::ExprCall) -> Option<Finding> {
    let Expr::Attribute(method) = &*call.func else { return None };
    let (Expr::Name(receiver), [Expr::Name(argument)]) = (&*method.value, &*call.arguments.args) else { return None };
    if receiver.id != argument.id || method.attr.as_str() != "append" {
        return None;
    }
    if !module.class_of(&method.value)?.symbol().is_any(CONTAINERS) {
        return None;
    }
    Some(itself(call.range(), receiver))
}

fn itself(range: TextRange, name: &ast::ExprName) -> Finding {
    Finding::new("memory/cyclic-gc", range).fact("itself", Fact::from(name.id.as_str()))
}

fn assigned(site: &Site, assign: &ast::StmtAssign) -> Option<Finding> {
    let [target] = assign.targets.as_slice() else { return None };
    let finding = ring(site, assign, target)?;
    // A descriptor decides itself what is stored.
    let lookup = target.as_attribute_expr().and_then(|attribute| site.module.lookup(attribute));
    let is_taken = |lookup: &Lookup| lookup.step == Step::DataDescriptor && lookup.member.kind != MemberKind::Slot;
    (!lookup.as_ref().is_some_and(is_taken)).then_some(finding)
}

fn ring(site: &Site, assign: &ast::StmtAssign, target: &Expr) -> Option<Finding> {
    let module = site.module;
    let owner = match target {
        Expr::Attribute(attribute) => &*attribute.value,
        Expr::Subscript(subscript) => &*subscript.value,
        _ => return None,
    };
    if let (Expr::Name(owner), Expr::Name(value)) = (owner, &*assign.value)
        && owner.id == value.id
    {
        // A class is in a cycle from its birth.
        if owner.id == "cls" || module.class_reference(&assign.value).is_some() {
            return None;
        }
        return Some(itself(assign.range(), owner));
    }
    if let (Expr::Name(owner), Expr::Attribute(_)) = (owner, target)
        && let Some(closure) = closure(module, &assign.value, &owner.id)
        && owner.id == "self"
    {
        let attribute = target.as_attribute_expr().map(|target| target.attr.as_str());
        let class = site.class().and_then(|class| module.class(class));
        let cleared = class.and_then(|class| breaker(&class, attribute?, site.function()?.name.as_str()));
        let (breaker, breaker_at) = cleared.unzip();
        let finding = Finding::new("memory/cyclic-gc", assign.range())
            .fact("stored", Fact::from(module.source(target)))
            .fact("closure", Fact::from(vec![closure]))
            .fact("breaker", breaker.map(Fact::from))
            .fact("breaker_at", breaker_at.flatten().map(Fact::from))
            .fact("finalizer", finalizer_of(site));
        return Some(finding);
    }
    mutual(site, assign, target)
}

/// The source of a function that holds the object of `owner`: a lambda, its bound method, a partial of either.
fn closure(module: &Module, value: &Expr, owner: &str) -> Option<String> {
    let is_owner = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id == owner);
    let holds = match value {
        Expr::Lambda(lambda) => uses(lambda, owner),
        Expr::Attribute(attribute) => is_owner(&attribute.value) && is_bound_method(module, attribute),
        Expr::Call(call) if module.callee(call).is_some_and(|symbol| symbol.is("functools.partial")) => {
            call.arguments.args.iter().any(|argument| is_owner(argument) || closure(module, argument, owner).is_some())
        }
        _ => false,
    };
    holds.then(|| module.source(value).to_string())
}

fn finalizer_of(site: &Site) -> Option<Fact> {
    let class = site.module.class(site.class()?)?;
    super::reference_count::finalizer(&class).map(Fact::from)
}

/// `child.parent = self`, where the same function makes `self` hold `child`.
fn mutual(site: &Site, assign: &ast::StmtAssign, target: &Expr) -> Option<Finding> {
    let module = site.module;
    let Expr::Name(held) = &*assign.value else { return None };
    let (holder, attribute) = root(target)?;
    attribute?;
    if holder.id == held.id || target.as_subscript_expr().is_some_and(|item| !is_strong_container(module, &item.value))
    {
        return None;
    }
    let mut links = Links { module, holder: &held.id, left: STATEMENTS, found: vec![] };
    links.visit_body(&site.function()?.body);
    let back = links.found.into_iter().find(|link| {
        // The second of two assignments is the one that closes the ring.
        let is_later = link.range.start() > assign.start();
        link.holder == *held.id && link.held == *holder.id && !(link.is_assignment && is_later)
    })?;
    let up = module.source(target).to_string();
    let finding = Finding::new("memory/cyclic-gc", assign.range())
        .fact("ring", Fact::from(vec![back.path.clone(), up.clone()]))
        .fact("down", Fact::from(back.path))
        .fact("down_at", module.place(back.range).map(Fact::from))
        .fact("up", Fact::from(up))
        .fact("finalizer", finalizer_of(site));
    Some(finding)
}

/// `holder.path` refers to `held`.
struct Link {
    holder: String,
    held: String,
    path: String,
    range: TextRange,
    is_assignment: bool,
}

struct Links<'m, 's> {
    module: &'m Module<'s>,
    /// Only what this variable's object holds is of interest.
    holder: &'m str,
    left: usize,
    found: Vec<Link>,
}

impl Links<'_, '_> {
    fn link(&mut self, place: &Expr, held: &Expr, is_assignment: bool) -> Option<()> {
        let Expr::Name(held) = held else { return None };
        let (holder, attribute) = root(place)?;
        attribute?;
        if holder.id != self.holder {
            return None;
        }
        self.found.push(Link {
            holder: holder.id.to_string(),
            held: held.id.to_string(),
            path: self.module.source(place).to_string(),
            range: place.range(),
            is_assignment,
        });
        Some(())
    }
}

impl<'a> StatementVisitor<'a> for Links<'_, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        match statement {
            Stmt::Assign(assign) => {
                for target in assign.targets.iter().filter(|target| !target.is_name_expr()) {
                    // What is stored under a key may be held weakly.
                    let may_be_weak =
                        target.as_subscript_expr().is_some_and(|item| !is_strong_container(self.module, &item.value));
                    if !may_be_weak {
                        self.link(target, &assign.value, true);
                    }
                }
            }
            Stmt::Expr(ast::StmtExpr { value, .. }) => {
                if let Expr::Call(call) = &**value
                    && let Expr::Attribute(method) = &*call.func
                    && ADDING.contains(&method.attr.as_str())
                    && (method.attr.as_str() != "add" || is_strong_container(self.module, &method.value))
                    && let Some(held) = call.arguments.args.last()
                {
                    self.link(&method.value, held, false);
                }
            }
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }
}
