//! `name = Typed("name", str)` → `name = Typed(str)`, and `__set_name__` receives the name.
//!
//! Only where every object of the class is made as a class attribute and is told the name of that attribute, and where
//! `__init__` uses the name for nothing but attributes of the object.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::blocks::{Moved, at, comment_in, line_end, line_start, other_mention, own_lines, without_item};
use super::imports::line_after;
use super::{Offer, Rewrite, Target};
use crate::analysis::{Class, Module};
use crate::detectors::Fact;
use crate::detectors::class_reading::{Use, class_statements, subclasses, uses};
use crate::detectors::descriptor_shape::argument;
use crate::detectors::nodes::all_nodes;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "set_name", offer };

/// What a refusal says.
type Reason = String;

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let Some(Fact::Code(parameter)) = target.finding.facts.get("parameter") else { return None };
    let statement = target.site.class()?;
    let init =
        statement.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == "__init__")?;
    let class = module.class(statement)?;
    let made = uses(module, &class);
    let title = format!("Let `__set_name__` receive `{parameter}` (`{}(…)` takes an argument less)", statement.name);
    let plan = only_uses(module, statement, &class, &made)
        .and_then(|()| owners(module, &made))
        .and_then(|()| Moving::of(module, init, parameter))
        .and_then(|moving| edits(module, init, &moving, &made));
    match plan {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// Whether the class is used for nothing but the class attributes `made`.
fn only_uses(module: &Module, statement: &ast::StmtClassDef, class: &Class, made: &[Use]) -> Result<(), Reason> {
    let name = statement.name.as_str();
    if let Some(subclass) = subclasses(module, class).first() {
        return Err(format!("`{}` derives from `{name}` and passes the name on", subclass.name()));
    }
    if class.mro().iter().skip(1).any(|base| base.binds("__init__") && !base.is("builtins.object")) {
        return Err(format!("a base of `{name}` has an `__init__` as well"));
    }
    if let Some(decorator) = statement.decorator_list.first() {
        return Err(format!("the decorator in {} may use the parameters", at(module, decorator)));
    }
    let is_annotation = |range: TextRange| {
        all_nodes(&module.syntax().body).into_iter().any(|node| match node {
            AnyNodeRef::StmtAnnAssign(assign) => assign.annotation.range().contains_range(range),
            AnyNodeRef::Parameter(parameter) => {
                parameter.annotation.as_ref().is_some_and(|annotation| annotation.range().contains_range(range))
            }
            AnyNodeRef::StmtFunctionDef(def) => {
                def.returns.as_ref().is_some_and(|returns| returns.range().contains_range(range))
            }
            _ => false,
        })
    };
    let is_known = |range: TextRange| {
        statement.range().contains_range(range)
            || made.iter().any(|made| made.call.func.range().contains_range(range))
            || is_annotation(range)
    };
    if let Some(other) = other_mention(module, name, is_known) {
        return Err(format!("`{name}` is used in {} in another way", at(module, other)));
    }
    let inside = all_nodes(&statement.body).into_iter().find(|node| {
        matches!(node, AnyNodeRef::ExprCall(call) if call.func.as_name_expr().is_some_and(|func| func.id == name))
    });
    if let Some(inside) = inside {
        return Err(format!("`{name}` is used in {} in another way", at(module, inside)));
    }
    match module.snapshot().mentioned_elsewhere(&[name], module.path()) {
        Some((path, line)) => Err(format!("{path} line {line} mentions `{name}`")),
        None => Ok(()),
    }
}

/// Whether Python tells each object the same name: the classes are built by `type`, from names that are not mangled.
fn owners(module: &Module, made: &[Use]) -> Result<(), Reason> {
    for made in made {
        if made.attribute.starts_with("__") && !made.attribute.ends_with("__") {
            return Err(format!("`__set_name__` would get `_{}{}`", made.owner.name, made.attribute));
        }
        let owner = class_statements(module).into_iter().find(|class| class.range() == made.owner.range());
        let Some(owner) = owner.and_then(|owner| module.class(owner)) else {
            return Err(format!("`{}` is not known", made.owner.name));
        };
        if !owner.mro_is_complete() {
            return Err(format!("a base of `{}` is not known", owner.name()));
        }
        if let Some(metaclass) = owner.metaclass().filter(|metaclass| !metaclass.class.is("abc.ABCMeta")) {
            let name = metaclass.class.name();
            return Err(format!("the metaclass `{name}` of `{}` may take attributes away", owner.name()));
        }
    }
    Ok(())
}

/// The statements of `__init__` that go to `__set_name__`.
struct Moving<'a> {
    /// The parameter as it is written, without a default.
    parameter: &'a ast::ParameterWithDefault,
    index: usize,
    /// Statements that move as they are.
    whole: Vec<&'a Stmt>,
    /// Tuple assignments of which some parts move: the statement, and which parts.
    split: Vec<(&'a ast::StmtAssign, Vec<usize>)>,
}

impl<'a> Moving<'a> {
    fn of(module: &Module, init: &'a ast::StmtFunctionDef, name: &str) -> Result<Self, Reason> {
        let own = init.parameters.iter_non_variadic_params().next().map(|own| own.name().as_str()).unwrap_or_default();
        let found = init.parameters.iter_non_variadic_params().enumerate().find(|(_, found)| found.name() == name);
        let Some((index, parameter)) = found else { return Err(format!("`{name}` is no plain parameter")) };
        let mut moving = Self { parameter, index, whole: vec![], split: vec![] };
        let mut set: Vec<&str> = vec![];
        for statement in &init.body {
            let mentions = |range: TextRange| {
                all_nodes(std::slice::from_ref(statement)).into_iter().any(|node| {
                    matches!(node, AnyNodeRef::ExprName(found) if found.id == name && range.contains_range(found.range()))
                })
            };
            if !mentions(statement.range()) {
                let reads = |node: &AnyNodeRef| match node {
                    AnyNodeRef::ExprAttribute(read) => set.contains(&read.attr.as_str()),
                    AnyNodeRef::ExprName(found) => found.id == own && !set.is_empty(),
                    _ => false,
                };
                let later = all_nodes(std::slice::from_ref(statement))
                    .into_iter()
                    .find(|node| reads(node) && !is_store_to_own(statement, own, node.range()));
                if let Some(later) = later {
                    return Err(format!("{} may read what is made of `{name}`", at(module, later)));
                }
                continue;
            }
            let other_use = || format!("`{name}` is used in {} for more than an attribute", at(module, statement));
            let Stmt::Assign(assign) = statement else { return Err(other_use()) };
            let parts: Vec<(&Expr, &Expr)> = match (assign.targets.as_slice(), &*assign.value) {
                ([Expr::Tuple(targets)], Expr::Tuple(values)) if targets.len() == values.len() => {
                    targets.iter().zip(&values.elts).collect()
                }
                ([target], value) => vec![(target, value)],
                _ => return Err(other_use()),
            };
            let mut moved = vec![];
            for (index, (target, value)) in parts.iter().enumerate() {
                let attribute = own_attribute(target, own).ok_or_else(other_use)?;
                if mentions(value.range()) {
                    if !is_made_of(value, name) {
                        return Err(other_use());
                    }
                    moved.push(index);
                    set.push(attribute);
                } else if value.is_starred_expr() || target.is_starred_expr() {
                    return Err(other_use());
                }
            }
            match moved.len() == parts.len() {
                true => moving.whole.push(statement),
                false => moving.split.push((assign, moved)),
            }
        }
        match moving.whole.is_empty() && moving.split.is_empty() {
            true => Err(format!("`{name}` is not used in `__init__`")),
            false => Ok(moving),
        }
    }
}

/// Whether the name at `range` is the receiver of an assignment `own.attribute = …`.
fn is_store_to_own(statement: &Stmt, own: &str, range: TextRange) -> bool {
    let targets: &[Expr] = match statement {
        Stmt::Assign(assign) => &assign.targets,
        Stmt::AnnAssign(assign) => std::slice::from_ref(&assign.target),
        _ => return false,
    };
    targets.iter().any(|target| own_attribute(target, own).is_some() && target.range().contains_range(range))
}

fn own_attribute<'a>(target: &'a Expr, own: &str) -> Option<&'a str> {
    let attribute = target.as_attribute_expr()?;
    attribute.value.as_name_expr().is_some_and(|name| name.id == own).then_some(attribute.attr.as_str())
}

/// Whether a value is computed of the name alone, by operations that no one else can see.
fn is_made_of(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Name(found) => found.id == name,
        Expr::StringLiteral(_) => true,
        Expr::BinOp(operation) => is_made_of(&operation.left, name) && is_made_of(&operation.right, name),
        Expr::FString(string) => string.value.elements().all(|element| match element {
            ast::InterpolatedStringElement::Literal(_) => true,
            ast::InterpolatedStringElement::Interpolation(part) => {
                part.debug_text.is_none() && part.format_spec.is_none() && is_made_of(&part.expression, name)
            }
        }),
        Expr::Call(call) => {
            let is_builtin = call.func.as_name_expr().is_some_and(|func| func.id == "str");
            let is_text = call.func.as_attribute_expr().is_some_and(|method| {
                is_made_of(&method.value, name) && ["lower", "upper", "title", "strip"].contains(&method.attr.as_str())
            });
            let all = call.arguments.args.iter().all(|argument| is_made_of(argument, name));
            call.arguments.keywords.is_empty() && all && (is_builtin || is_text)
        }
        _ => false,
    }
}

fn edits(module: &Module, init: &ast::StmtFunctionDef, moving: &Moving, made: &[Use]) -> Result<Vec<Edit>, Reason> {
    let (lines, newline) = (module.lines(), module.lines().newline());
    let name = moving.parameter.name().as_str();
    let Some(first) = init.body.first() else { return Err("`__init__` is empty".to_string()) };
    let inner = lines.indentation(first.start());
    let shares_line = |range: TextRange| format!("{} holds more than one statement", at(module, range));
    if own_lines(module, TextRange::new(first.start(), init.end())).is_none() || module.source(init).contains(';') {
        return Err(shares_line(init.range()));
    }
    let mut edits = vec![];
    let mut body = String::new();
    for statement in &moving.whole {
        let own = own_lines(module, statement.range()).ok_or_else(|| shares_line(statement.range()))?;
        let own = TextRange::new(with_comments(module, own, init), own.end());
        body.push_str(&Moved::of(module, own, inner)?.indented(inner, newline));
        edits.push(Edit::delete(TextRange::new(own.start(), line_after(module, own.end()))));
    }
    for (assign, moved) in &moving.split {
        let ([Expr::Tuple(targets)], Expr::Tuple(values)) = (assign.targets.as_slice(), &*assign.value) else {
            continue;
        };
        if let Some(line) = comment_in(module, assign.range()) {
            return Err(format!("the comment in line {line} would be lost"));
        }
        let pick = |moves: bool| {
            let side = |elements: &[Expr]| {
                let picked = elements.iter().enumerate().filter(|(index, _)| moved.contains(index) == moves);
                picked.map(|(_, element)| module.source(element)).collect::<Vec<_>>().join(", ")
            };
            format!("{} = {}", side(&targets.elts), side(&values.elts))
        };
        body.push_str(&format!("{newline}{inner}{}", pick(true)));
        edits.push(Edit::replace(assign.range(), pick(false)));
    }
    let own = init.parameters.iter_non_variadic_params().next().map_or("self", |own| own.name().as_str());
    let outer = lines.indentation(init.name.start());
    let written = module.source(&moving.parameter.parameter);
    let owner = if name == "owner" { "owner_class" } else { "owner" };
    let ranges: Vec<TextRange> = init.parameters.iter_source_order().map(|parameter| parameter.range()).collect();
    if moving.split.is_empty() && moving.whole.len() == init.body.len() {
        // All of it moves: then it is the method.
        if ranges.len() != 2 || moving.index != 1 {
            return Err("nothing would be left in `__init__`".to_string());
        }
        edits = vec![
            Edit::replace(init.name.range(), "__set_name__"),
            Edit::insert(moving.parameter.start(), format!("{owner}, ")),
        ];
    } else {
        let header = format!("def __set_name__({own}, {owner}, {written}):");
        edits.push(Edit::insert(line_end(module, init.end()), format!("{newline}{newline}{outer}{header}{body}")));
        let index = ranges.iter().position(|range| *range == moving.parameter.range()).unwrap_or(moving.index);
        edits.push(Edit::delete(uncommented(module, without_item(&ranges, index))?));
    }
    for made in made {
        let passed = argument(init, made.call, name).ok_or_else(|| shares_line(made.call.range()))?;
        let ranges: Vec<TextRange> = made.call.arguments.iter_source_order().map(|argument| argument.range()).collect();
        let index = ranges.iter().position(|range| range.contains_range(passed.range())).unwrap_or_default();
        edits.push(Edit::delete(uncommented(module, without_item(&ranges, index))?));
    }
    Ok(edits)
}

/// A range to be removed, if no comment is in it.
fn uncommented(module: &Module, range: Option<TextRange>) -> Result<TextRange, Reason> {
    let range = range.ok_or_else(|| "an argument is not found".to_string())?;
    match comment_in(module, range) {
        Some(line) => Err(format!("the comment in line {line} would be lost")),
        None => Ok(range),
    }
}

/// The start of the comment lines right above the line of `own`, inside the body of `init`.
fn with_comments(module: &Module, own: TextRange, init: &ast::StmtFunctionDef) -> crate::text::TextSize {
    let lines = module.lines();
    let (header, number) = (lines.line(init.parameters.end()), lines.line(own.start()));
    let is_comment = |line: &usize| module.source(lines.line_range(*line)).trim_start().starts_with('#');
    let start = (header + 1..number).rev().take_while(is_comment).last().unwrap_or(number);
    line_start(module, lines.line_range(start).start())
}
