//! What a `__getattr__` does with the names it is asked for: answers them all, some, or passes them on.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::method_body::{attribute_of, find_own, is_name, own_nodes};
use crate::analysis::Module;
use crate::text::{Ranged as _, TextRange};

/// An answer that every name gets when no path raises.
pub(super) struct AnswersAll {
    /// The last answer; `None` where the function ends without one, so that it is `None`.
    pub answer: Option<TextRange>,
    /// Whether the answer can be called; `None` when that is not known.
    pub callable: Option<bool>,
}

/// Whether no path through `def` raises, as far as every part of it is understood.
pub(super) fn answers_all(module: &Module, def: &ast::StmtFunctionDef, parameter: &str) -> Option<AnswersAll> {
    let quiet = Quiet { module, parameter };
    if !quiet.body(&def.body) {
        return None;
    }
    let mut last = None;
    own_nodes(&def.body, |node| {
        if let AnyNodeRef::StmtReturn(statement) = node {
            last = statement.value.as_deref().or(last);
        }
    });
    Some(AnswersAll {
        answer: last.map(Expr::range),
        callable: last.map_or(Some(false), |answer| callable(module, answer)),
    })
}

/// Whether evaluating `expr` in a `__getattr__` raises for no name, as far as every part of it is understood.
pub(super) fn never_raises(module: &Module, expr: &Expr, parameter: &str) -> bool {
    Quiet { module, parameter }.expr(expr)
}

fn callable(module: &Module, answer: &Expr) -> Option<bool> {
    match answer {
        Expr::Lambda(_) => Some(true),
        Expr::FString(_) | Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::Tuple(_) => Some(false),
        answer if answer.is_literal_expr() => Some(false),
        Expr::Call(call) => {
            let symbol = module.symbol(&*call.func);
            if symbol.is_some_and(|symbol| symbol.is("functools.partial")) {
                return Some(true);
            }
            let class = module.class_reference(&call.func).or_else(|| module.class_of(answer))?;
            Some(class.definer("__call__").is_some())
        }
        _ => None,
    }
}

/// Code that cannot raise for a missing name.
struct Quiet<'a, 's> {
    module: &'a Module<'s>,
    parameter: &'a str,
}

impl Quiet<'_, '_> {
    fn body(&self, body: &[Stmt]) -> bool {
        body.iter().all(|statement| self.statement(statement))
    }

    fn statement(&self, statement: &Stmt) -> bool {
        match statement {
            Stmt::Pass(_) => true,
            Stmt::Expr(statement) => statement.value.is_literal_expr() || self.is_log(&statement.value),
            Stmt::Return(statement) => statement.value.as_deref().is_none_or(|value| self.expr(value)),
            Stmt::Assign(assign) => assign.targets.iter().all(Expr::is_name_expr) && self.expr(&assign.value),
            Stmt::If(branches) => {
                let clauses = &branches.elif_else_clauses;
                self.expr(&branches.test)
                    && self.body(&branches.body)
                    && clauses.iter().all(|clause| {
                        clause.test.as_ref().is_none_or(|test| self.expr(test)) && self.body(&clause.body)
                    })
            }
            Stmt::Try(attempt) => self.attempt(attempt),
            _ => false,
        }
    }

    /// `try: return self.data[name]` with a handler that answers.
    fn attempt(&self, attempt: &ast::StmtTry) -> bool {
        let [Stmt::Return(statement)] = attempt.body.as_slice() else { return false };
        let is_lookup = statement.value.as_deref().is_some_and(Expr::is_subscript_expr);
        let [ast::ExceptHandler::ExceptHandler(handler)] = attempt.handlers.as_slice() else { return false };
        let catches = handler.type_.as_deref().is_none_or(|class| {
            self.module.symbol(class).is_some_and(|symbol| {
                symbol.is_any(&["builtins.Exception", "builtins.KeyError", "builtins.LookupError"])
            })
        });
        is_lookup && catches && self.body(&handler.body) && attempt.orelse.is_empty() && attempt.finalbody.is_empty()
    }

    fn is_log(&self, expr: &Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let arguments = call.arguments.iter_source_order().all(|argument| self.expr(argument.value()));
        let is_print = self.module.symbol(&*call.func).is_some_and(|symbol| symbol.is("builtins.print"));
        let is_logged = call
            .func
            .as_attribute_expr()
            .is_some_and(|attribute| matches!(attribute.attr.as_str(), "debug" | "info" | "warning" | "error"));
        arguments && (is_print || is_logged)
    }

    fn expr(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Name(_) | Expr::Lambda(_) => true,
            Expr::FString(string) => string.value.elements().all(|element| match element {
                ast::InterpolatedStringElement::Literal(_) => true,
                ast::InterpolatedStringElement::Interpolation(part) => self.expr(&part.expression),
            }),
            Expr::List(list) => list.elts.iter().all(|item| self.expr(item)),
            Expr::Tuple(tuple) => tuple.elts.iter().all(|item| self.expr(item)),
            Expr::Dict(dict) => dict.items.is_empty(),
            Expr::Compare(compare) => {
                self.expr(&compare.left) && compare.comparators.iter().all(|item| self.expr(item))
            }
            Expr::BoolOp(operation) => operation.values.iter().all(|item| self.expr(item)),
            Expr::UnaryOp(operation) => operation.op == ast::UnaryOp::Not && self.expr(&operation.operand),
            Expr::BinOp(operation) => {
                operation.op == ast::Operator::Add && self.expr(&operation.left) && self.expr(&operation.right)
            }
            Expr::If(choice) => self.expr(&choice.test) && self.expr(&choice.body) && self.expr(&choice.orelse),
            Expr::Attribute(attribute) => self.attribute(attribute),
            Expr::Subscript(item) => is_name(&item.value, self.parameter),
            Expr::Call(call) => self.call(call),
            other => other.is_literal_expr(),
        }
    }

    /// `self.data`, `type(self).__name__`: attributes that are there.
    fn attribute(&self, attribute: &ast::ExprAttribute) -> bool {
        match &*attribute.value {
            Expr::Name(_) => true,
            other => attribute.attr.as_str() == "__name__" && self.expr(other),
        }
    }

    fn call(&self, call: &ast::ExprCall) -> bool {
        const QUIET: &[&str] =
            &["builtins.repr", "builtins.str", "builtins.type", "builtins.id", "functools.partial", "builtins.len"];
        let arguments = call.arguments.iter_source_order().all(|argument| self.expr(argument.value()));
        if !arguments {
            return false;
        }
        match &*call.func {
            // A method of the name, which is a string; or `mapping.get(name)`.
            Expr::Attribute(attribute) if is_name(&attribute.value, self.parameter) => {
                attribute.attr.as_str() != "index"
            }
            Expr::Attribute(attribute) if attribute.attr.as_str() == "get" => {
                self.expr(&attribute.value)
                    && call.arguments.args.first().is_some_and(|key| is_name(key, self.parameter))
                    && self.module.class_of(&*attribute.value).is_some_and(|class| class.inherits("builtins.dict"))
            }
            func => {
                let symbol = self.module.symbol(func);
                symbol.is_some_and(|symbol| symbol.is_any(QUIET)) || self.is_plain_class(func)
            }
        }
    }

    /// A class whose objects are made without code that could raise.
    fn is_plain_class(&self, func: &Expr) -> bool {
        let Some(class) = self.module.class_reference(func) else { return false };
        let own = class.definer("__new__").is_none() && class.mro_is_complete();
        let init = class.definer("__init__");
        own && init.is_none_or(|class| {
            class.with_statement(|_, statement| {
                let def = super::method_body::method(&statement.body, "__init__");
                def.is_some_and(|def| {
                    def.body.iter().all(|statement| matches!(statement, Stmt::Assign(_) | Stmt::Expr(_)))
                })
            })
        })
    }
}

/// The names that a `__getattr__` with a last `raise AttributeError` answers before it (`host`, `get_…`), and that `raise`.
pub(super) fn names<'a>(
    module: &Module,
    def: &'a ast::StmtFunctionDef,
    parameter: &str,
) -> Option<(Vec<String>, &'a ast::StmtRaise)> {
    let [branches @ .., Stmt::Raise(raise)] = def.body.as_slice() else { return None };
    let raised = match raise.exc.as_deref()? {
        Expr::Call(call) => &*call.func,
        other => other,
    };
    if !is_name(raised, "AttributeError") {
        return None;
    }
    let mut names = vec![];
    for branch in branches.iter().filter_map(Stmt::as_if_stmt) {
        let refuses = find_own(&branch.body, |node| matches!(node, AnyNodeRef::StmtRaise(_)).then_some(()));
        if refuses.is_some() || !branch.elif_else_clauses.is_empty() {
            continue;
        }
        names.extend(names_in(module, &branch.test, parameter));
    }
    Some((names, raise))
}

fn names_in(module: &Module, test: &Expr, parameter: &str) -> Vec<String> {
    match test {
        Expr::Compare(compare) if is_name(&compare.left, parameter) => match (&*compare.ops, &*compare.comparators) {
            ([ast::CmpOp::Eq], [Expr::StringLiteral(text)]) => vec![text.value.to_str().to_string()],
            ([ast::CmpOp::In], [Expr::Name(table)]) => {
                let table = module.syntax().body.iter().find_map(|statement| {
                    let assign = statement.as_assign_stmt()?;
                    assign.targets.iter().any(|target| is_name(target, &table.id)).then_some(&*assign.value)
                });
                table.map(strings).unwrap_or_default()
            }
            ([ast::CmpOp::In], [group]) => strings(group),
            _ => vec![],
        },
        Expr::Call(call) if attribute_of(&call.func, parameter) == Some("startswith") => match &*call.arguments.args {
            [Expr::StringLiteral(prefix)] => vec![format!("{}…", prefix.value.to_str())],
            _ => vec![],
        },
        _ => vec![],
    }
}

/// The strings of a literal collection; of a dictionary, its keys.
fn strings(group: &Expr) -> Vec<String> {
    let items: Vec<&Expr> = match group {
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        Expr::List(list) => list.elts.iter().collect(),
        Expr::Set(set) => set.elts.iter().collect(),
        Expr::Dict(dict) => dict.items.iter().filter_map(|item| item.key.as_ref()).collect(),
        _ => vec![],
    };
    let texts = items.into_iter().filter_map(Expr::as_string_literal_expr);
    texts.map(|text| text.value.to_str().to_string()).collect()
}

/// The object that unknown names are asked of: `self._target` in `getattr(self._target, name)`.
pub(super) fn delegate(def: &ast::StmtFunctionDef, parameter: &str) -> Option<TextRange> {
    find_own(&def.body, |node| {
        let AnyNodeRef::ExprCall(call) = node else { return None };
        let [target, name] = &*call.arguments.args else { return None };
        (is_name(&call.func, "getattr") && is_name(name, parameter)).then(|| target.range())
    })
}
