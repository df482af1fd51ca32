//! `def __getattr__`: of a class, and of a module.

use ruff_python_ast::{self as ast, AnyNodeRef, NodeKind};

use super::class_reading::{is_protocol, set_in_init};
use super::dynamic_shape::{Dynamic, constructions, dynamic, extra_keywords};
use super::getattr_answer::answer;
use super::getattr_shape::{AnswersAll, answers_all, delegate, names};
use super::method_body::{attribute_of, each_node, find_own, is_name, method, own_nodes, parameter};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::Ranged as _;

pub(super) const DETECTOR: Detector = Detector {
    concepts: &[
        "attributes/getattr",
        "attributes/getattr-answers-all",
        "attributes/getattr-self-recursion",
        "attributes/module-getattr",
    ],
    nodes: &[NodeKind::StmtFunctionDef],
    detect,
};

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtFunctionDef(def) = site.node else { return None };
    if def.name.as_str() != "__getattr__" || site.is_type_checking() || def.is_async || !def.decorator_list.is_empty() {
        return None;
    }
    match site.parent()? {
        AnyNodeRef::ModModule(_) => of_module(site.module, def, findings),
        AnyNodeRef::StmtClassDef(statement) => of_class(site.module, &site.module.class(statement)?, def, findings),
        _ => None,
    }
}

fn of_module(module: &Module, def: &ast::StmtFunctionDef, findings: &mut Findings) -> Option<()> {
    let name = parameter(def, 0)?;
    findings.push(
        with_answers(module, def, name, Finding::new("attributes/module-getattr", def.name.range()))
            .fact("module", module.module_name().map(Fact::from)),
    );
    Some(())
}

/// The facts about which names are answered.
fn with_answers(module: &Module, def: &ast::StmtFunctionDef, name: &str, finding: Finding) -> Finding {
    let all = answers_all(module, def, name);
    let (names, raise) = names(module, def, name).unzip();
    finding
        .fact("names", names.map(Fact::from))
        .fact("raise_at", raise.and_then(|raise| module.place(raise.range())).map(Fact::from))
        .fact("answer", all.as_ref().map(|all| Fact::from(answer_text(module, all))))
        .fact("answer_at", all.and_then(|all| module.place(all.answer.unwrap_or(def.name.range()))).map(Fact::from))
}

fn answer_text(module: &Module, all: &AnswersAll) -> String {
    all.answer.map_or("None".to_string(), |range| module.source(range).to_string())
}

fn of_class<'s>(
    module: &Module<'s>,
    class: &Class<'s>,
    def: &ast::StmtFunctionDef,
    findings: &mut Findings,
) -> Option<()> {
    let name = parameter(def, 1)?;
    let delegate = delegate(def, name).map(|range| module.source(range).to_string());
    findings.push(
        with_answers(module, def, name, Finding::new("attributes/getattr", def.name.range()))
            .fact("class", Fact::from(class.name()))
            .fact("parameter", Fact::from(name))
            .fact("delegate", delegate.map(Fact::from))
            .fact("known", Fact::from(known(module, class))),
    );
    self_recursion(module, class, def, findings);
    let all = answers_all(module, def, name)?;
    let is_sketch = matches!(def.body.last(), Some(ast::Stmt::Expr(_)));
    if is_sketch || is_protocol(class) || imitates_anything(&class.name()) {
        return None;
    }
    let text = answer_text(module, &all);
    let shown = |wanted: bool| (all.callable == Some(wanted)).then(|| Fact::from(text.clone()));
    findings.push(
        Finding::new("attributes/getattr-answers-all", def.name.range())
            .fact("class", Fact::from(class.name()))
            .fact("answer", Fact::from(text.clone()))
            .fact("answer_at", module.place(all.answer.unwrap_or(def.name.range())).map(Fact::from))
            .fact("not_callable", shown(false))
            .fact("callable", shown(true))
            .fact("uses", Fact::from(answered_here(module, class))),
    );
    Some(())
}

/// Classes that stand in for any object say so in their name.
fn imitates_anything(name: &str) -> bool {
    let name = name.to_lowercase();
    ["mock", "fake", "stub", "dummy", "null", "spy", "anything"].iter().any(|word| name.contains(word))
}

/// Reads in this file that the class's `__getattr__` answers.
pub(super) fn answered_here(module: &Module, class: &Class) -> Vec<String> {
    let mut reads = vec![];
    each_node(&module.syntax().body, |node| {
        let AnyNodeRef::ExprAttribute(attribute) = node else { return };
        if answer(module, attribute).is_some_and(|answer| !answer.is_set && answer.lookup.member.owner == *class) {
            let read = module.source(attribute).to_string();
            if !reads.contains(&read) {
                reads.push(read);
            }
        }
    });
    reads
}

/// Attributes of the class that normal lookup finds: those set in `__init__`, and those from keywords of the calls at hand.
fn known<'s>(module: &Module<'s>, class: &Class<'s>) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if let Some(definer) = class.definer("__init__") {
        definer.with_statement(|_, statement| {
            let Some(def) = method(&statement.body, "__init__") else { return };
            let Some(receiver) = parameter(def, 0) else { return };
            own_nodes(&def.body, |node| {
                if let AnyNodeRef::ExprAttribute(attribute) = node
                    && attribute.ctx.is_store()
                    && is_name(&attribute.value, receiver)
                {
                    add(attribute.attr.to_string());
                }
            });
        });
    }
    if matches!(dynamic(class), Dynamic::Keywords(_)) {
        for call in constructions(module, class) {
            extra_keywords(class, call).unwrap_or_default().into_iter().for_each(&mut add);
        }
    }
    names
}

/// `self._target` in `__getattr__`, where only `__init__` sets it and no test of the name comes before.
fn self_recursion(module: &Module, class: &Class, def: &ast::StmtFunctionDef, findings: &mut Findings) -> Option<()> {
    const OWN_PICKLING: &[&str] = &["__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"];
    let restores_itself = OWN_PICKLING.iter().any(|name| class.definer(name).is_some());
    let copies_itself = class.definer("__copy__").is_some() && class.definer("__deepcopy__").is_some();
    if restores_itself || copies_itself || class.definer("__getattribute__").is_some() {
        return None;
    }
    let (receiver, name) = (parameter(def, 0)?, parameter(def, 1)?);
    let is_guarded = find_own(&def.body, |node| tests_name(node, name).then_some(()));
    if is_guarded.is_some() {
        return None;
    }
    let (read, attribute) = find_own(&def.body, |node| {
        let AnyNodeRef::ExprAttribute(read) = node else { return None };
        let attribute = is_name(&read.value, receiver).then(|| read.attr.to_string())?;
        let is_special = attribute.starts_with("__") && attribute.ends_with("__");
        (read.ctx.is_load() && !is_special).then(|| (read.range(), attribute))
    })?;
    if class.mro().iter().any(|class| class.binds(&attribute)) {
        return None;
    }
    let set_at = set_in_init(class, &attribute)?;
    findings.push(
        Finding::new("attributes/getattr-self-recursion", read)
            .fact("class", Fact::from(class.name()))
            .fact("code", Fact::from(module.source(read)))
            .fact("set_at", Fact::from(set_at)),
    );
    Some(())
}

/// Any test that could refuse a name before the attribute is read.
fn tests_name(node: AnyNodeRef, name: &str) -> bool {
    match node {
        AnyNodeRef::ExprCompare(compare) => {
            is_name(&compare.left, name) || compare.comparators.iter().any(|item| is_name(item, name))
        }
        AnyNodeRef::ExprCall(call) => {
            matches!(attribute_of(&call.func, name), Some("startswith" | "endswith" | "isidentifier"))
        }
        AnyNodeRef::StmtTry(_) => true,
        _ => false,
    }
}
