//! Who else takes entries out of a container.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprContext, Stmt};

use crate::analysis::Site;
use crate::text::{Ranged as _, TextRange};

/// Methods that take nothing out.
const KEEPING: &[&str] = &["copy", "get", "items", "keys", "setdefault", "update", "values"];

/// Everything the statements assign to or delete, nested functions left out.
pub(super) fn targets(statements: &[Stmt]) -> Vec<&Expr> {
    let mut finder = Finder::default();
    finder.visit_body(statements);
    finder.targets
}

/// The calls in the statements, nested functions left out.
pub(super) fn calls(statements: &[Stmt]) -> Vec<&ast::ExprCall> {
    let mut finder = Finder::default();
    finder.visit_body(statements);
    finder.calls
}

#[derive(Default)]
struct Finder<'a> {
    targets: Vec<&'a Expr>,
    calls: Vec<&'a ast::ExprCall>,
}

impl<'a> SourceOrderVisitor<'a> for Finder<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::StmtAssign(assign) => self.targets.extend(&assign.targets),
            AnyNodeRef::StmtDelete(delete) => self.targets.extend(&delete.targets),
            AnyNodeRef::ExprCall(call) => self.calls.push(call),
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::ExprLambda(_) | AnyNodeRef::StmtClassDef(_) => {
                return TraversalSignal::Skip;
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// Whether code outside of `known` may take entries out of `container`, replace it, or hand it to others.
pub(super) fn is_emptied_elsewhere(site: &Site, container: &Expr, known: &[TextRange]) -> bool {
    let (name, owner) = match container {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(owner) => (attribute.attr.as_str(), Some(owner)),
            _ => return true,
        },
        Expr::Name(name) => (name.id.as_str(), None),
        _ => return true,
    };
    let mut finder = Uses { name, is_attribute: owner.is_some(), ancestors: vec![], found: vec![] };
    finder.visit_body(&site.module.syntax().body);
    let here = site.class().map(|class| class.range());
    finder.found.iter().any(|found| {
        let is_known = known.iter().any(|known| known.contains_range(found.range));
        let is_ours = owner.is_none() || found.may_be_instance_of(here);
        !is_known && is_ours && found.may_empty()
    })
}

struct Uses<'n, 'a> {
    name: &'n str,
    is_attribute: bool,
    ancestors: Vec<AnyNodeRef<'a>>,
    found: Vec<Found<'a>>,
}

/// A use of the container.
struct Found<'a> {
    range: TextRange,
    ctx: ExprContext,
    /// Whether it is reached through `self`.
    own: bool,
    ancestors: Vec<AnyNodeRef<'a>>,
}

impl<'a> SourceOrderVisitor<'a> for Uses<'_, 'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let found = match node {
            AnyNodeRef::ExprAttribute(attribute) if self.is_attribute && attribute.attr.as_str() == self.name => {
                let own = matches!(&*attribute.value, Expr::Name(owner) if owner.id == "self");
                Some((attribute.ctx, own))
            }
            AnyNodeRef::ExprName(name) if !self.is_attribute && name.id == self.name => Some((name.ctx, false)),
            _ => None,
        };
        if let Some((ctx, own)) = found {
            self.found.push(Found { range: node.range(), ctx, own, ancestors: self.ancestors.clone() });
        }
        self.ancestors.push(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _node: AnyNodeRef<'a>) {
        self.ancestors.pop();
    }
}

impl Found<'_> {
    /// Whether the container's owner may be an instance of the class at `class`: not for the `self` of another class.
    fn may_be_instance_of(&self, class: Option<TextRange>) -> bool {
        let enclosing = self.ancestors.iter().rev().find_map(|node| match node {
            AnyNodeRef::StmtClassDef(class) => Some(*class),
            _ => None,
        });
        match enclosing {
            Some(other) if self.own && Some(other.range()) != class => other.arguments.is_some(),
            _ => true,
        }
    }

    fn may_empty(&self) -> bool {
        if !self.ctx.is_load() {
            return !self.is_first_binding();
        }
        match self.ancestors.last() {
            Some(AnyNodeRef::ExprSubscript(entry)) => !entry.ctx.is_load() || entry.value.range() != self.range,
            Some(AnyNodeRef::ExprAttribute(method)) => !KEEPING.contains(&method.attr.as_str()),
            Some(AnyNodeRef::ExprCompare(_) | AnyNodeRef::StmtFor(_) | AnyNodeRef::InterpolatedElement(_)) => false,
            Some(AnyNodeRef::Arguments(_)) => match self.ancestors.iter().rev().nth(1) {
                Some(AnyNodeRef::ExprCall(call)) => {
                    let looking = ["len", "list", "print", "repr", "sorted", "str", "bool", "iter"];
                    !matches!(&*call.func, Expr::Name(name) if looking.contains(&name.id.as_str()))
                }
                _ => true,
            },
            _ => true,
        }
    }

    /// The binding that makes the container: in `__init__`, in a class body, or at module level.
    fn is_first_binding(&self) -> bool {
        let function = self.ancestors.iter().rev().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(def) => Some(def.name.as_str()),
            _ => None,
        });
        function.is_none_or(|name| name == "__init__")
    }
}
