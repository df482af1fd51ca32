//! Steps of a thread's life that Python refuses in this order, and `run()` called in the place of `start()`.
//!
//! Compares statements of one block only, one below the other.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, block_around, calls, is_test_file, method};
use super::threads::{created, creations, is_first_parameter, is_super_init, is_thread, overridden_run, thread_class};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["threads/lifecycle", "threads/run-called"],
    nodes: &[NodeKind::StmtAssign, NodeKind::StmtExpr],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    if site.is_type_checking() {
        return None;
    }
    match site.node {
        AnyNodeRef::StmtAssign(assign) => {
            let [Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
            if target.attr.as_str() != "daemon" {
                return None;
            }
            let thread = target.value.as_name_expr()?;
            let on_self = site.function().is_some_and(|function| is_first_parameter(function, thread));
            let finding = if on_self { before_init(site, assign)? } else { after_start(site, assign, thread)? };
            findings.push(finding);
            Some(())
        }
        AnyNodeRef::StmtExpr(statement) => {
            let call = statement.value.as_call_expr()?;
            let finding = match method(call)? {
                (receiver, "run") => run_called(site, receiver, call)?,
                (receiver, "join") => not_started(site, receiver, call)?,
                _ => return None,
            };
            findings.push(finding);
            Some(())
        }
        _ => None,
    }
}

/// `self.daemon = …` in front of `super().__init__()`.
fn before_init(site: &Site, assign: &ast::StmtAssign) -> Option<Finding> {
    let module = site.module;
    let function = site.function().filter(|function| function.name.as_str() == "__init__")?;
    module.class(site.class()?).filter(is_thread)?;
    let (block, index) = block_around(module, assign.range())?;
    if block.first()?.range() != function.body.first()?.range() {
        return None;
    }
    let is_init = |node: &AnyNodeRef| matches!(node, AnyNodeRef::ExprCall(call) if is_super_init(call));
    if all_nodes(&block[..index]).iter().any(is_init) {
        return None;
    }
    let init = block[index + 1..].iter().find_map(|statement| {
        let call = statement.as_expr_stmt()?.value.as_call_expr()?;
        is_super_init(call).then_some(call)
    })?;
    let finding = Finding::new("threads/lifecycle", assign.range());
    Some(
        finding
            .fact("first", Fact::from(module.source(init)))
            .fact("then", Fact::from(module.source(assign)))
            .fact("other_at", module.place(init.range()).map(Fact::from)),
    )
}

/// `thread.daemon = …` behind `thread.start()`.
fn after_start(site: &Site, assign: &ast::StmtAssign, thread: &ast::ExprName) -> Option<Finding> {
    let module = site.module;
    let (block, index) = block_around(module, assign.range())?;
    let mut start = None;
    for statement in &block[..index] {
        if binds(statement, thread) {
            start = None;
        }
        let call = statement.as_expr_stmt().and_then(|statement| statement.value.as_call_expr());
        if let Some((call, (Expr::Name(receiver), "start"))) = call.and_then(|call| Some((call, method(call)?)))
            && receiver.id == thread.id
        {
            start = Some(call);
        }
    }
    let start = start?;
    thread_class(module, method(start)?.0)?;
    let finding = Finding::new("threads/lifecycle", assign.range());
    Some(
        finding
            .fact("first", Fact::from(module.source(assign)))
            .fact("then", Fact::from(module.source(start)))
            .fact("other_at", module.place(start.range()).map(Fact::from)),
    )
}

/// `thread.join()` of a thread that was made above and never touched since.
fn not_started(site: &Site, receiver: &Expr, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let thread = receiver.as_name_expr()?;
    let (block, index) = block_around(module, site.node.range())?;
    let only_configured = |statement: &&Stmt| !mentions(statement, thread) || configures(statement, thread);
    let untouched = block[..index].iter().rev().take_while(only_configured).count();
    let made = block.get(index.checked_sub(untouched + 1)?)?.as_assign_stmt()?;
    let [Expr::Name(target)] = made.targets.as_slice() else { return None };
    if target.id != thread.id {
        return None;
    }
    if may_start_itself(&created(module, made.value.as_call_expr()?)?.class) {
        return None;
    }
    let start = format!("{}.start()", thread.id);
    let finding = Finding::new("threads/lifecycle", call.range());
    Some(finding.fact("first", Fact::from(start)).fact("then", Fact::from(module.source(call))))
}

/// Whether making an object of the class may start its thread: an `__init__` below `Thread`'s calls something with `self`, or is
/// not to be seen.
fn may_start_itself(class: &Class) -> bool {
    let below = class.mro();
    let below = below.iter().take_while(|class| !class.is("threading.Thread"));
    below.filter(|class| class.binds("__init__")).any(|definer| {
        definer.with_statement(|_, statement| {
            let mut methods = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
            let init = methods.find(|method| method.name.as_str() == "__init__")?;
            Some(init_may_start(init))
        }) != Some(false)
    })
}

fn init_may_start(init: &ast::StmtFunctionDef) -> bool {
    let is_self = |expr: &Expr| expr.as_name_expr().is_some_and(|name| is_first_parameter(init, name));
    calls(&all_nodes(&init.body)).into_iter().any(|call| {
        if is_super_init(call) {
            return false;
        }
        let sets = |name| matches!(name, "setDaemon" | "setName");
        let on_self = method(call).is_some_and(|(receiver, name)| is_self(receiver) && !sets(name));
        on_self || call.arguments.iter_source_order().any(|argument| is_self(argument.value()))
    })
}

fn run_called(site: &Site, receiver: &Expr, call: &ast::ExprCall) -> Option<Finding> {
    let module = site.module;
    let on_self = receiver.as_name_expr().is_some_and(|name| {
        site.function().is_some_and(|function| is_first_parameter(function, name)) && site.class().is_some()
    });
    let is_super = receiver
        .as_call_expr()
        .is_some_and(|call| call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "super"));
    if on_self || is_super || !call.arguments.is_empty() || is_test_file(module) {
        return None;
    }
    let class = thread_class(module, receiver)?;
    let runs = overridden_run(&class).or_else(|| match creations(module, receiver).as_slice() {
        [made] => made.runs(module),
        _ => None,
    })?;
    Some(
        Finding::new("threads/run-called", call.range())
            .fact("thread", Fact::from(module.source(receiver)))
            .fact("runs", Fact::from(runs.name))
            .fact("runs_at", runs.place.map(Fact::from)),
    )
}

/// Whether `statement` gives the name another value.
fn binds(statement: &Stmt, name: &ast::ExprName) -> bool {
    all_nodes(std::slice::from_ref(statement))
        .into_iter()
        .any(|node| matches!(node, AnyNodeRef::ExprName(other) if other.id == name.id && !other.ctx.is_load()))
}

/// `thread.name = …`
fn configures(statement: &Stmt, thread: &ast::ExprName) -> bool {
    let Stmt::Assign(assign) = statement else { return false };
    let [Expr::Attribute(target)] = assign.targets.as_slice() else { return false };
    let on_thread = target.value.as_name_expr().is_some_and(|name| name.id == thread.id);
    let in_value = |node: AnyNodeRef| matches!(node, AnyNodeRef::ExprName(name) if name.id == thread.id);
    on_thread && all_nodes(std::slice::from_ref(statement)).into_iter().filter(|node| in_value(*node)).count() == 1
}

fn mentions(statement: &Stmt, name: &ast::ExprName) -> bool {
    let nodes = all_nodes(std::slice::from_ref(statement));
    nodes.into_iter().any(|node| matches!(node, AnyNodeRef::ExprName(other) if other.id == name.id))
}
