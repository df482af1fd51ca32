//! One walk over a module that notes what binds names.

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged as _, TextRange, TextSize};

use super::super::super::syntax_index::last_name;
use super::{
    Arm, AttributeBinding, Binding, BindingKind, Branch, Index, NodeNumber, Outer, Return, Scope, ScopeKind, number,
};

struct Builder {
    index: Index,
    scope: usize,
    branch: Option<usize>,
}

/// The index of a module.
pub(super) fn build(body: &[Stmt]) -> Index {
    let mut builder = Builder { index: Index::default(), scope: 0, branch: None };
    builder.index.scopes.push(Scope::new(ScopeKind::Module, None, None));
    builder.body(body);
    builder.index
}

impl Builder {
    fn scope(&mut self) -> &mut Scope {
        &mut self.index.scopes[self.scope]
    }

    fn bind(&mut self, name: &str, kind: BindingKind, node: NodeNumber, at: TextSize) {
        let branch = self.branch;
        let scope = self.scope();
        let number = scope.bindings.len();
        if matches!(kind, BindingKind::Star) {
            scope.stars.push(number);
        }
        scope.names.entry(name.to_string()).or_default().push(number);
        scope.bindings.push(Binding { name: name.to_string(), kind, node, at, branch });
    }

    fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn arm(&mut self, node: NodeNumber, whole: TextRange, arm: Arm, body: &[Stmt]) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return };
        let parent = self.branch;
        let range = TextRange::new(first.start(), last.end());
        self.branch = Some(self.index.branches.len());
        self.index.branches.push(Branch { parent, node, arm, range, whole });
        self.body(body);
        self.branch = parent;
    }

    fn enter(&mut self, kind: ScopeKind, node: NodeNumber, body: &[Stmt]) {
        let (outer, branch) = (self.scope, self.branch.take());
        let number = self.index.scopes.len();
        self.index.scopes.push(Scope::new(kind, Some(node), Some(outer)));
        self.index.scope_of.insert(node, number);
        self.scope = number;
        self.body(body);
        self.scope = outer;
        self.branch = branch;
    }

    fn statement(&mut self, statement: &Stmt) {
        let (node, range) = (number(statement), statement.range());
        match statement {
            Stmt::FunctionDef(def) => {
                self.bind(&def.name, BindingKind::Function, node, range.end());
                self.enter(ScopeKind::Function, node, &def.body);
            }
            Stmt::ClassDef(class) => {
                self.bind(&class.name, BindingKind::Class, node, range.end());
                self.enter(ScopeKind::Class, node, &class.body);
            }
            Stmt::Assign(assign) => {
                let value = number(&*assign.value);
                for target in &assign.targets {
                    self.target(target, node, range.end(), Some(value), &mut vec![]);
                }
            }
            Stmt::AnnAssign(assign) => match (&*assign.target, &assign.value) {
                (target, Some(value)) => self.target(target, node, range.end(), Some(number(&**value)), &mut vec![]),
                (Expr::Name(name), None) => self.bind(&name.id, BindingKind::Declared, node, range.end()),
                _ => {}
            },
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    self.bind(&name.id, BindingKind::Augmented, node, range.end());
                }
            }
            Stmt::TypeAlias(alias) => self.target(&alias.name, node, range.end(), None, &mut vec![]),
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    match target {
                        Expr::Name(name) => self.bind(&name.id, BindingKind::Deleted, node, range.end()),
                        other => self.attribute(other, None, range.end()),
                    }
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.name.as_str();
                    let name = alias.asname.as_deref().unwrap_or_else(|| full.split('.').next().unwrap_or(full));
                    self.bind(name, BindingKind::Import, number(alias), range.end());
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    match alias.name.as_str() {
                        "*" => self.bind("*", BindingKind::Star, node, range.end()),
                        name => {
                            let name = alias.asname.as_deref().unwrap_or(name);
                            self.bind(name, BindingKind::ImportFrom, number(alias), range.end());
                        }
                    }
                }
            }
            Stmt::Global(global) => self.declare(&global.names, Outer::Global),
            Stmt::Nonlocal(nonlocal) => self.declare(&nonlocal.names, Outer::Nonlocal),
            Stmt::Return(returned) => {
                let branch = self.branch;
                let value = returned.value.as_deref().map(number);
                self.scope().returns.push(Return { value, at: range.start(), branch });
            }
            Stmt::Expr(expr) if self.scope == 0 => {
                let callee = expr.value.as_call_expr().and_then(|call| call.func.as_attribute_expr());
                self.index.converts_constants |=
                    callee.is_some_and(|callee| matches!(callee.attr.as_str(), "_convert_" | "_convert"));
            }
            _ => self.compound(statement, node, range),
        }
    }

    fn compound(&mut self, statement: &Stmt, node: NodeNumber, whole: TextRange) {
        match statement {
            Stmt::If(branches) => {
                self.arm(node, whole, Arm::If(0), &branches.body);
                for (index, clause) in branches.elif_else_clauses.iter().enumerate() {
                    let arm = if clause.test.is_some() { Arm::If(index + 1) } else { Arm::Else(index + 1) };
                    self.arm(node, whole, arm, &clause.body);
                }
            }
            Stmt::For(loops) => {
                let kind = |_: Vec<usize>| BindingKind::Item { iterable: number(&*loops.iter) };
                match &*loops.target {
                    Expr::Name(name) => self.bind(&name.id, kind(vec![]), node, loops.iter.end()),
                    target => self.target(target, node, loops.iter.end(), None, &mut vec![]),
                }
                self.arm(node, whole, Arm::Loop, &loops.body);
                self.arm(node, whole, Arm::LoopElse, &loops.orelse);
            }
            Stmt::While(loops) => {
                self.arm(node, whole, Arm::Loop, &loops.body);
                self.arm(node, whole, Arm::LoopElse, &loops.orelse);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    match item.optional_vars.as_deref() {
                        Some(Expr::Name(name)) => {
                            self.bind(&name.id, BindingKind::Opaque, node, item.end());
                        }
                        Some(target) => self.target(target, node, item.end(), None, &mut vec![]),
                        None => {}
                    }
                }
                self.body(&with.body);
            }
            Stmt::Try(attempt) => {
                self.arm(node, whole, Arm::TryBody, &attempt.body);
                for (index, ast::ExceptHandler::ExceptHandler(handler)) in attempt.handlers.iter().enumerate() {
                    self.arm(node, whole, Arm::Handler(index), &handler.body);
                }
                self.arm(node, whole, Arm::TryElse, &attempt.orelse);
                self.body(&attempt.finalbody);
            }
            Stmt::Match(matching) => {
                for case in &matching.cases {
                    self.arm(node, whole, Arm::Case, &case.body);
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, names: &[ast::Identifier], outer: Outer) {
        for name in names {
            self.scope().outer.insert(name.to_string(), outer);
        }
    }

    fn target(
        &mut self,
        target: &Expr,
        node: NodeNumber,
        at: TextSize,
        value: Option<NodeNumber>,
        path: &mut Vec<usize>,
    ) {
        match target {
            Expr::Name(name) => {
                let kind = match value {
                    Some(value) => BindingKind::Assign { value, path: path.clone() },
                    None => BindingKind::Opaque,
                };
                self.bind(&name.id, kind, node, at);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let mut value = value;
                for (index, item) in elts.iter().enumerate() {
                    if item.is_starred_expr() {
                        value = None; // What follows is counted from the end.
                    }
                    path.push(index);
                    self.target(item, node, at, value, path);
                    path.pop();
                }
            }
            Expr::Starred(starred) => self.target(&starred.value, node, at, None, path),
            Expr::Subscript(item) if self.scope == 0 && self.branch.is_none() => {
                let is_own = item.slice.as_name_expr().is_some_and(|name| name.id == "__name__");
                if is_own && last_name(&item.value) == Some("modules") {
                    self.index.replaced_by = value;
                }
            }
            other => self.attribute(other, value.filter(|_| path.is_empty()), at),
        }
    }

    /// An attribute that is bound or deleted.
    fn attribute(&mut self, target: &Expr, value: Option<NodeNumber>, at: TextSize) {
        let Expr::Attribute(ast::ExprAttribute { value: object, attr, .. }) = target else { return };
        if let (Expr::Name(object), 0) = (&**object, self.scope) {
            let (object, attribute, branch) = (object.id.to_string(), attr.to_string(), self.branch);
            self.index.attributes.push(AttributeBinding { object, attribute, value, at, branch });
        }
    }
}
