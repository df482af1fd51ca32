//! `class Meta(type)`, which acts on each finished class → `__init_subclass__` in the one class that is built by it.
//!
//! Only for a metaclass that does nothing else: one `__new__` or `__init__` that makes the class first and changes nothing
//! before it is made.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::blocks::{Moved, at, comment_in, line_end, line_start, other_mention, own_lines, unit};
use super::imports::line_after;
use super::{Offer, Rewrite, Target};
use crate::analysis::Module;
use crate::detectors::class_reading::subclasses;
use crate::detectors::nodes::all_nodes;
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "init_subclass", offer };

/// What a refusal says.
type Reason = String;

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    let meta = metaclass(target)?;
    let hook = only_method(meta)?;
    let title = format!("Replace the metaclass `{}` by `__init_subclass__`", meta.name);
    let built = match root(module, meta) {
        Ok(root) => root,
        Err(reason) => return Offer::refused(title, reason),
    };
    let title = format!(
        "Replace the metaclass `{}` by `{}.__init_subclass__` (`type({1})` becomes `type`)",
        meta.name, built.name
    );
    let plan = stays(module, meta, hook)
        .and_then(|()| Action::of(module, hook))
        .and_then(|action| action.may_move(module, built).map(|()| action))
        .and_then(|action| edits(module, meta, &action, built));
    match plan {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// The statement of the metaclass that the finding is about, at the top level of this file.
fn metaclass<'a>(target: &Target<'a, '_>) -> Option<&'a ast::StmtClassDef> {
    let module = target.site.module;
    let top = module.syntax().body.iter().filter_map(Stmt::as_class_def_stmt);
    let place = std::iter::once(target.site.node).chain(target.site.enclosing()).find_map(|node| match node {
        AnyNodeRef::Keyword(keyword) => module.class_reference(&keyword.value)?.place(),
        AnyNodeRef::StmtClassDef(class) if class.name.range() == target.finding.range => {
            module.place(class.name.range())
        }
        _ => None,
    })?;
    if module.path() != Some(place.path.as_path()) {
        return None;
    }
    top.into_iter().find(|class| class.name.range() == place.range()).filter(|class| !class.body.is_empty())
}

/// The `__new__` or `__init__` of a metaclass that could do without: `None` where there is no such method at all.
fn only_method(meta: &ast::StmtClassDef) -> Option<&ast::StmtFunctionDef> {
    let mut hooks = meta.body.iter().filter_map(Stmt::as_function_def_stmt);
    hooks.find(|def| matches!(def.name.as_str(), "__new__" | "__init__"))
}

/// Whether the metaclass does nothing but `hook`.
fn stays(module: &Module, meta: &ast::StmtClassDef, hook: &ast::StmtFunctionDef) -> Result<(), Reason> {
    let bases = meta.arguments.as_deref();
    let is_plain = bases.is_some_and(|bases| {
        bases.keywords.is_empty() && matches!(&*bases.args, [base] if module.is_symbol(base, "builtins.type"))
    });
    if !is_plain || meta.type_params.is_some() {
        return Err(format!("`{}` has other bases than `type`", meta.name));
    }
    if let Some(decorator) = meta.decorator_list.first().or(hook.decorator_list.first()) {
        return Err(format!("the decorator in {} may do more", at(module, decorator)));
    }
    let other = meta.body.iter().find(|statement| statement.range() != hook.range());
    match other {
        Some(Stmt::FunctionDef(def)) => Err(format!(
            "`{}` has `{}` too ({}), which only a metaclass can have",
            meta.name,
            def.name,
            at(module, def)
        )),
        Some(other) if ast::helpers::is_docstring_stmt(other) => {
            Err(format!("the docstring of `{}` ({}) would be lost", meta.name, at(module, other)))
        }
        Some(other) => Err(format!("`{}` binds something else in {}", meta.name, at(module, other))),
        None => Ok(()),
    }
}

/// The one class that the keyword `metaclass=` gives the metaclass.
fn root<'a>(module: &'a Module, meta: &ast::StmtClassDef) -> Result<&'a ast::StmtClassDef, Reason> {
    let name = meta.name.as_str();
    let top = module.syntax().body.iter().filter_map(Stmt::as_class_def_stmt);
    let keyword = |class: &&ast::StmtClassDef| {
        let keyword = class.arguments.as_deref()?.find_keyword("metaclass")?;
        keyword.value.as_name_expr().filter(|value| value.id == name).map(|value| value.range())
    };
    let mut roots = top.filter(|class| keyword(class).is_some());
    let (Some(root), other) = (roots.next(), roots.next()) else {
        return Err(format!("no class at the top level of this file is built by `{name}`"));
    };
    if let Some(other) = other {
        return Err(format!("`{}` ({}) is built by it as well", other.name, at(module, other)));
    }
    let known = [meta.range(), keyword(&root).unwrap_or_default()];
    if let Some(other) = other_mention(module, name, |range| known.iter().any(|known| known.contains_range(range))) {
        return Err(format!("`{name}` is used in {} in another way", at(module, other)));
    }
    if let Some((path, line)) = module.snapshot().mentioned_elsewhere(&[name], module.path()) {
        return Err(format!("{path} line {line} mentions `{name}`"));
    }
    let arguments = root.arguments.as_deref();
    if arguments.is_some_and(|arguments| arguments.len() > 1) || root.type_params.is_some() {
        return Err(format!("`{}` ({}) has bases or keywords", root.name, at(module, root)));
    }
    if let Some(own) = method(root, "__init_subclass__") {
        return Err(format!("`{}` has an `__init_subclass__` of its own ({})", root.name, at(module, own)));
    }
    let body = root.body.first().filter(|first| module.lines().line(first.start()) > module.lines().line(root.start()));
    match body.and_then(|first| own_lines(module, first.range())) {
        Some(_) => Ok(root),
        None => Err(format!("the body of `{}` stands on the line of its `class`", root.name)),
    }
}

fn method<'a>(class: &'a ast::StmtClassDef, name: &str) -> Option<&'a ast::StmtFunctionDef> {
    class.body.iter().filter_map(Stmt::as_function_def_stmt).find(|def| def.name.as_str() == name)
}

/// What the metaclass does with a finished class.
struct Action<'a> {
    body: &'a [Stmt],
    /// The variable that holds the class.
    class: &'a str,
    /// Where the class's name is read from the parameter.
    names: Vec<TextRange>,
    /// Whether the root is left out, by `if bases:`.
    spares_root: bool,
    /// What encloses the body: the lines before it go away.
    hook: &'a ast::StmtFunctionDef,
}

impl<'a> Action<'a> {
    fn of(module: &Module, hook: &'a ast::StmtFunctionDef) -> Result<Self, Reason> {
        let parameters = &hook.parameters;
        let positional: Vec<&str> =
            parameters.iter_non_variadic_params().map(|parameter| parameter.name().as_str()).collect();
        let has_default = parameters.iter_non_variadic_params().any(|parameter| parameter.default.is_some());
        let &[first, name, bases, namespace] = positional.as_slice() else {
            return Err(format!("the parameters in {} are not four names", at(module, &hook.name)));
        };
        if parameters.vararg.is_some() || has_default || !parameters.kwonlyargs.is_empty() || hook.is_async {
            return Err(format!("the parameters in {} are not four names", at(module, &hook.name)));
        }
        let keywords = parameters.kwarg.as_deref().map(|parameter| parameter.name.as_str());
        let given = [first, name, bases, namespace];
        let made_first = || format!("`{}` does not make the class first ({})", hook.name, at(module, &hook.name));
        let (class, body) = match (hook.name.as_str(), hook.body.as_slice()) {
            ("__new__", [Stmt::Assign(made), body @ .., Stmt::Return(last)]) => {
                let [Expr::Name(class)] = made.targets.as_slice() else { return Err(made_first()) };
                let gives_it = last.value.as_deref().is_some_and(|value| is_name(value, &class.id));
                if !is_super_call(&made.value, "__new__", &given, keywords) || !gives_it {
                    return Err(made_first());
                }
                (class.id.as_str(), body)
            }
            ("__init__", [Stmt::Expr(made), body @ ..]) => {
                if !is_super_call(&made.value, "__init__", &given[1..], None)
                    && !is_super_call(&made.value, "__init__", &given[1..], keywords)
                {
                    return Err(made_first());
                }
                (first, body)
            }
            _ => return Err(made_first()),
        };
        let (body, spares_root) = match body {
            [Stmt::If(only)] if is_name(&only.test, bases) && only.elif_else_clauses.is_empty() => (&*only.body, true),
            body => (body, false),
        };
        if body.is_empty() {
            return Err(format!("`{}` ({}) does nothing with the class", hook.name, at(module, &hook.name)));
        }
        let mut action = Self { body, class, names: vec![], spares_root, hook };
        let gone: Vec<&str> =
            [Some(bases), Some(namespace), keywords, (first != class).then_some(first)].into_iter().flatten().collect();
        action.read(module, name, &gone)?;
        Ok(action)
    }

    /// Looks at every node of the body: what may be in it, and where the name is read.
    fn read(&mut self, module: &Module, name: &str, gone: &[&str]) -> Result<(), Reason> {
        for node in all_nodes(self.body) {
            let read = match node {
                AnyNodeRef::ExprName(found) => found.id.as_str(),
                AnyNodeRef::Parameter(parameter) => parameter.name.as_str(),
                AnyNodeRef::Identifier(found) if found.starts_with("__") && !found.ends_with("__") => {
                    return Err(format!("`{found}` in {} is private to its class", at(module, found)));
                }
                AnyNodeRef::StmtReturn(_)
                | AnyNodeRef::StmtGlobal(_)
                | AnyNodeRef::StmtNonlocal(_)
                | AnyNodeRef::ExprYield(_)
                | AnyNodeRef::ExprYieldFrom(_) => {
                    return Err(format!("{} cannot move to another function", at(module, node)));
                }
                AnyNodeRef::InterpolatedElement(element)
                    if element.debug_text.is_some() && module.source(element).contains(name) =>
                {
                    return Err(format!("the text in {} shows the name of a variable", at(module, element)));
                }
                _ => continue,
            };
            let is_load = matches!(node, AnyNodeRef::ExprName(found) if found.ctx.is_load());
            if gone.contains(&read) {
                return Err(format!(
                    "`{read}` is used in {}, and `__init_subclass__` does not get it",
                    at(module, node)
                ));
            }
            if read == "super" || read == "__class__" || read == "type" {
                return Err(format!("`{read}` in {} may mean the metaclass", at(module, node)));
            }
            if !is_load && (read == name || read == self.class) {
                return Err(format!("`{read}` is bound again in {}", at(module, node)));
            }
            if read == name {
                self.names.push(node.range());
            }
        }
        Ok(())
    }

    /// Whether `__init_subclass__` of `root` is called with the same classes, and reaches them unhindered.
    fn may_move(&self, module: &Module, root: &ast::StmtClassDef) -> Result<(), Reason> {
        if !self.spares_root
            && let Some(decorator) = root.decorator_list.first()
        {
            return Err(format!("the decorator in {} may replace `{}`", at(module, decorator), root.name));
        }
        let Some(class) = module.class(root) else { return Err(format!("`{}` is not known", root.name)) };
        for subclass in subclasses(module, &class) {
            let others = subclass.mro();
            let in_the_way = others.iter().find(|other| **other != class && other.binds("__init_subclass__"));
            if let Some(other) = in_the_way.filter(|other| !other.is("builtins.object")) {
                return Err(format!("`{}` has an `__init_subclass__` of its own", other.name()));
            }
            if !subclass.mro_is_complete() {
                return Err(format!("a base of `{}` is not known", subclass.name()));
            }
        }
        let elsewhere = module.snapshot().mentioned_elsewhere(&[&root.name, "__init_subclass__"], module.path());
        match elsewhere {
            Some((path, _)) => Err(format!("{path} mentions `{}` and an `__init_subclass__`", root.name)),
            None => Ok(()),
        }
    }
}

fn is_name(expr: &Expr, name: &str) -> bool {
    expr.as_name_expr().is_some_and(|found| found.id == name)
}

/// `super().method(a, b, c)`, or the same of `type` for `__new__`, with just these names.
fn is_super_call(expr: &Expr, method: &str, given: &[&str], keywords: Option<&str>) -> bool {
    let Some(call) = expr.as_call_expr() else { return false };
    let Some(called) = call.func.as_attribute_expr().filter(|called| called.attr.as_str() == method) else {
        return false;
    };
    let is_super = match &*called.value {
        Expr::Call(base) => is_name(&base.func, "super") && base.arguments.is_empty(),
        base => method == "__new__" && is_name(base, "type"),
    };
    let passes = call.arguments.args.iter().map(|argument| argument.as_name_expr().map(|name| name.id.as_str()));
    let passes_keywords = match (&*call.arguments.keywords, keywords) {
        ([], None) => true,
        ([only], Some(keywords)) => only.arg.is_none() && is_name(&only.value, keywords),
        _ => false,
    };
    is_super && passes_keywords && passes.eq(given.iter().map(|name| Some(*name)))
}

fn edits(
    module: &Module,
    meta: &ast::StmtClassDef,
    action: &Action,
    root: &ast::StmtClassDef,
) -> Result<Vec<Edit>, Reason> {
    let (lines, newline) = (module.lines(), module.lines().newline());
    let unclear = || format!("several statements of `{}` share a line", meta.name);
    let (Some(first), Some(last)) = (action.body.first(), action.body.last()) else { return Err(unclear()) };
    let whole = own_lines(module, meta.range()).ok_or_else(unclear)?;
    // The comments above the body move with it.
    let header = match action.spares_root {
        true => action.hook.body.iter().find_map(Stmt::as_if_stmt).map(|only| only.test.end()),
        false => action.hook.body.first().map(|made| made.end()),
    };
    let start = line_after(module, header.ok_or_else(unclear)?);
    let body = TextRange::new(start.min(line_start(module, first.start())), line_end(module, last.end()));
    let shares = own_lines(module, TextRange::new(first.start(), last.end())).is_none();
    if shares || start > first.start() || module.source(body).contains(';') {
        return Err(unclear());
    }
    for rest in [TextRange::new(whole.start(), body.start()), TextRange::new(body.end(), whole.end())] {
        if let Some(line) = comment_in(module, rest) {
            return Err(format!("the comment in line {line} would be lost"));
        }
    }
    let moved = Moved::of(module, body, lines.indentation(first.start()))?;
    let text = with_names(module, action, &moved, body);
    let moved = Moved { text: &text, indentation: moved.indentation };
    let outer = match root.body.first() {
        Some(first) => lines.indentation(first.start()).to_string(),
        None => unit(module),
    };
    let inner = format!("{outer}{outer}");
    let class = action.class;
    let mut hook = format!("def __init_subclass__({class}, **kwargs):{newline}");
    hook.push_str(&format!("{inner}super().__init_subclass__(**kwargs)"));
    hook.push_str(&moved.indented(&inner, newline));
    if !action.spares_root {
        hook.push_str(&format!("{newline}{newline}{newline}{}.__init_subclass__()", root.name));
    }
    let mut edits = vec![Edit::delete(with_blank_lines(module, whole))];
    if let Some(arguments) = root.arguments.as_deref() {
        edits.push(Edit::delete(arguments.range()));
    }
    match root.body.as_slice() {
        [only] if only.is_pass_stmt() || is_ellipsis(only) => edits.push(Edit::replace(only.range(), hook)),
        body => {
            let end = line_end(module, body.last().map_or(root.end(), |last| last.end()));
            edits.push(Edit::insert(end, format!("{newline}{newline}{outer}{hook}")));
        }
    }
    Ok(edits)
}

fn is_ellipsis(statement: &Stmt) -> bool {
    statement.as_expr_stmt().is_some_and(|statement| statement.value.is_ellipsis_literal_expr())
}

/// The text of the body, in which the parameter for the name is `cls.__name__`.
fn with_names(module: &Module, action: &Action, moved: &Moved, body: TextRange) -> String {
    let mut text = moved.text.to_string();
    let mut names = action.names.clone();
    names.sort_by_key(|range| std::cmp::Reverse(range.start()));
    for name in names.into_iter().filter(|name| body.contains_range(*name)) {
        let range = (name.start() - body.start()).to_usize()..(name.end() - body.start()).to_usize();
        let is_boundary = module.source(body).get(range.clone()).is_some();
        if is_boundary {
            text.replace_range(range, &format!("{}.__name__", action.class));
        }
    }
    text
}

/// The lines of the metaclass with the blank ones behind it.
fn with_blank_lines(module: &Module, whole: TextRange) -> TextRange {
    let lines = module.lines();
    let mut end = line_after(module, whole.end());
    while end < crate::text::TextLen::text_len(module.text())
        && module.source(lines.line_range(lines.line(end))).trim().is_empty()
    {
        end = line_after(module, end);
    }
    TextRange::new(whole.start(), end)
}
