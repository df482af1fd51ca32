//! `copy.copy`, `copy.deepcopy` and `pickle`: which hook of the object's class answers, and what in it cannot be copied.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::class_reading::is_own;
use super::method_body::{attribute_of, method, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _, TextRange};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["memory/copy-semantics", "memory/deep-copy", "memory/pickling"],
    nodes: &[NodeKind::ExprCall],
    detect,
};

const FUNCTIONS: &[&str] = &["copy.copy", "copy.deepcopy", "pickle.dump", "pickle.dumps"];
/// Classes whose objects neither `copy.deepcopy` nor `pickle` takes.
const LOCKS: &[&str] = &[
    "threading.Condition",
    "threading.Event",
    "threading.Lock",
    "threading.RLock",
    "threading.Semaphore",
    "socket.socket",
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::ExprCall(call) = site.node else { return None };
    let module = site.module;
    let argument = call.arguments.args.first()?;
    if !module.may_be(&call.func, FUNCTIONS) {
        return None;
    }
    let symbol = module.callee(call).filter(|symbol| symbol.is_any(FUNCTIONS))?;
    let (concept, hooks): (_, &[&str]) = match symbol.to_string().as_str() {
        "copy.copy" => ("memory/copy-semantics", &["__copy__", "__reduce_ex__", "__reduce__"]),
        "copy.deepcopy" => ("memory/deep-copy", &["__deepcopy__", "__reduce_ex__", "__reduce__"]),
        _ => ("memory/pickling", &["__reduce_ex__", "__reduce__"]),
    };
    let finding = Finding::new(concept, call.func.range())
        .fact("argument", Fact::from(module.source(argument)))
        .fact("nameless", nameless(argument).filter(|_| symbol.module == "pickle").map(Fact::from));
    let Some(class) = module.class_of(argument).filter(is_own) else {
        findings.push(finding);
        return None;
    };
    let own = |name: &&str| class.definer(name).filter(is_own);
    let hook = hooks.iter().find_map(|name| Some((*name, own(name)?)));
    // What a class written in C returns as its recipe need not ask for the state, and `BaseException` does not.
    let is_rebuilt_in_c = hooks
        .iter()
        .any(|name| class.definer(name).is_some_and(|definer| !is_own(&definer) && !definer.is("builtins.object")));
    let state = own(&"__getstate__").filter(|_| !is_rebuilt_in_c && !class.inherits("builtins.BaseException"));
    let place = |owner: &Class, name: &str| owner.own_member(name).and_then(|member| member.place).map(Fact::from);
    let refused = match (&hook, &state) {
        (None, None) if !symbol.is("copy.copy") => class.definer("__init__").and_then(|definer| refused(&definer)),
        _ => None,
    };
    let finding = match &hook {
        Some((name, owner)) => {
            finding.fact("hook", Fact::from(format!("{}.{name}", owner.name()))).fact("hook_at", place(owner, name))
        }
        None => finding,
    };
    let finding = match state.filter(|_| hook.is_none()) {
        Some(owner) => finding
            .fact("state", Fact::from(format!("{}.__getstate__", owner.name())))
            .fact("state_at", place(&owner, "__getstate__")),
        None => finding,
    };
    findings.push(match refused {
        Some((attribute, made, at)) => finding
            .fact("refused", Fact::from(format!("{}.{attribute}", class.name())))
            .fact("made", Fact::from(made))
            .fact("made_at", at.map(Fact::from)),
        None => finding,
    });
    Some(())
}

/// What has no name under which it could be found again.
fn nameless(argument: &Expr) -> Option<&'static str> {
    match argument {
        Expr::Lambda(_) => Some("lambda"),
        Expr::Generator(_) => Some("generator"),
        _ => None,
    }
}

/// The attribute that `__init__` always sets to something that cannot be copied, and what that is.
fn refused(definer: &Class) -> Option<(String, String, Option<Place>)> {
    definer.with_statement(|module, statement| {
        let init = method(&statement.body, "__init__")?;
        let own = parameter(init, 0)?;
        init.body.iter().find_map(|statement| {
            let (attribute, value) = assigned(statement, own)?;
            let made = uncopyable(module, value)?;
            Some((attribute.to_string(), module.source(made).to_string(), module.place(statement.range())))
        })
    })
}

fn assigned<'a>(statement: &'a Stmt, own: &str) -> Option<(&'a str, &'a Expr)> {
    match statement {
        Stmt::Assign(ast::StmtAssign { targets, value, .. }) => match targets.as_slice() {
            [target] => Some((attribute_of(target, own)?, value)),
            _ => None,
        },
        Stmt::AnnAssign(assign) => Some((attribute_of(&assign.target, own)?, assign.value.as_deref()?)),
        _ => None,
    }
}

fn uncopyable(module: &Module, value: &Expr) -> Option<TextRange> {
    match value {
        Expr::Generator(_) => Some(value.range()),
        Expr::Call(call) => {
            let symbol = module.callee(call)?;
            (symbol.is_any(LOCKS) || symbol.is_any(&["builtins.open", "io.open"])).then(|| value.range())
        }
        _ => None,
    }
}
