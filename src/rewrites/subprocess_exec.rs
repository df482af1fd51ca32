//! `subprocess.run([…])` → `asyncio.create_subprocess_exec`, with the same result object.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr};

use super::awaiting::{call_of, obstacle};
use super::imports::{imported, taken, without_unread};
use super::layout::{free_name, generated, lost_comment, own_lines, statement_of};
use super::{Offer, Rewrite, Target};
use crate::analysis::{Module, Site};
use crate::text::{Edit, Ranged as _, TextRange};

pub(super) const REWRITE: Rewrite = Rewrite { name: "subprocess_exec", offer };

fn offer(target: &Target) -> Option<Offer> {
    let (call, site) = call_of(&target.site)?;
    let module = site.module;
    if !module.callee(call)?.is("subprocess.run") {
        return None;
    }
    let options = Options::read(module, call);
    let is_shell = options.as_ref().is_ok_and(|options| options.shell);
    let name = if is_shell { "shell" } else { "exec" };
    let text = match &options {
        Ok(options) if options.text => "; text is decoded as UTF-8, with its line ends as they are",
        _ => "",
    };
    let title = format!(
        "Use `asyncio.create_subprocess_{name}` (other tasks run meanwhile; cancelling does not stop the process{text})"
    );
    match options.and_then(|options| edits(&site, call, &options)) {
        Ok(edits) => Offer::edit(module, title, edits, false),
        Err(reason) => Offer::refused(title, reason),
    }
}

/// What the call asks for.
struct Options<'a> {
    command: &'a Expr,
    shell: bool,
    text: bool,
    check: bool,
    input: Option<&'a Expr>,
    /// Whether the two streams are captured.
    captured: [bool; 2],
    /// Arguments that are passed on as they are written.
    passed: Vec<&'a ast::Keyword>,
    /// Whether `capture_output` asks for the pipes.
    pipes: bool,
}

impl<'a> Options<'a> {
    fn read(module: &Module, call: &'a ast::ExprCall) -> Result<Self, String> {
        let line = |range: TextRange| module.lines().line(range.start());
        let [command] = &*call.arguments.args else {
            return Err(format!("the command in line {} is not the only positional argument", line(call.range())));
        };
        let mut options = Self {
            command,
            shell: false,
            text: false,
            check: false,
            input: None,
            captured: [false; 2],
            passed: vec![],
            pipes: false,
        };
        for keyword in &call.arguments.keywords {
            let written = module.source(keyword);
            let flag = || match &keyword.value {
                Expr::BooleanLiteral(flag) => Ok(flag.value),
                _ => Err(format!("`{written}` in line {} may be true or false", line(keyword.range()))),
            };
            match keyword.arg.as_deref() {
                Some("capture_output") => options.pipes = flag()?,
                Some("check") => options.check = flag()?,
                Some("shell") => options.shell = flag()?,
                Some("text" | "universal_newlines") => options.text = flag()?,
                Some("input") => options.input = Some(&keyword.value),
                Some("cwd" | "env") => options.passed.push(keyword),
                Some("stdout" | "stderr") => {
                    let is_output = keyword.arg.as_deref() == Some("stdout");
                    options.captured[usize::from(!is_output)] = is_pipe(module, keyword)?;
                    options.passed.push(keyword);
                }
                Some("timeout") => {
                    let line = line(keyword.range());
                    return Err(format!(
                        "`{written}` in line {line} kills the process, which `asyncio.timeout` does not"
                    ));
                }
                _ => return Err(format!("`{written}` in line {} has no known counterpart", line(keyword.range()))),
            }
        }
        if options.pipes {
            options.captured = [true; 2];
        }
        options.known_types(module)?;
        Ok(options)
    }

    fn known_types(&self, module: &Module) -> Result<(), String> {
        let line = |range: TextRange| module.lines().line(range.start());
        let is_any = |expr: &Expr, classes: &[&str]| module.class_name(expr).is_some_and(|class| class.is_any(classes));
        let written = module.source(self.command);
        match self.shell {
            true if !is_any(self.command, &["builtins.str"]) => {
                return Err(format!("`{written}` in line {} is not known to be a string", line(self.command.range())));
            }
            false if !is_any(self.command, &["builtins.list", "builtins.tuple"]) => {
                return Err(format!("`{written}` in line {} is not known to be a list", line(self.command.range())));
            }
            _ => {}
        }
        let wanted = if self.text { "builtins.str" } else { "builtins.bytes" };
        match self.input.filter(|input| !is_any(input, &[wanted])) {
            Some(input) => Err(format!("`{}` in line {} may be `None`", module.source(input), line(input.range()))),
            None => Ok(()),
        }
    }
}

/// Whether a stream goes to a pipe.
fn is_pipe(module: &Module, keyword: &ast::Keyword) -> Result<bool, String> {
    let value = &keyword.value;
    let is_constant = |name: &str| match value {
        Expr::Attribute(constant) => {
            constant.attr.as_str() == name && module.source(&*constant.value).ends_with("subprocess")
        }
        Expr::Name(constant) => module.imported_name(&constant.id) == name,
        _ => false,
    };
    match value {
        _ if is_constant("PIPE") => Ok(true),
        _ if value.is_none_literal_expr() || is_constant("DEVNULL") || is_constant("STDOUT") => Ok(false),
        _ => {
            let line = module.lines().line(keyword.start());
            Err(format!("`{}` in line {line} may be a pipe", module.source(keyword)))
        }
    }
}

/// What becomes of the result.
enum Gives {
    Nothing,
    /// `name =`, with the name where it is a plain one.
    Assigned(String, Option<String>),
    Returned,
}

fn gives(statement: &Site, call: &ast::ExprCall) -> Result<Gives, String> {
    let module = statement.module;
    let is_it = |value: &Expr| value.range() == call.range();
    match statement.node {
        AnyNodeRef::StmtExpr(node) if is_it(&node.value) => Ok(Gives::Nothing),
        AnyNodeRef::StmtReturn(node) if node.value.as_deref().is_some_and(is_it) => Ok(Gives::Returned),
        AnyNodeRef::StmtAnnAssign(node) if node.value.as_deref().is_some_and(is_it) => {
            let (target, annotation) = (module.source(&*node.target), module.source(&*node.annotation));
            let name = node.target.as_name_expr().map(|name| name.id.to_string());
            Ok(Gives::Assigned(format!("{target}: {annotation}"), name))
        }
        AnyNodeRef::StmtAssign(node) if is_it(&node.value) && node.targets.len() == 1 => {
            let target = &node.targets[0];
            let name = target.as_name_expr().map(|name| name.id.to_string());
            Ok(Gives::Assigned(module.source(target).to_string(), name))
        }
        node => Err(format!("line {} uses the result in a larger expression", module.lines().line(node.start()))),
    }
}

fn edits(site: &Site, call: &ast::ExprCall, options: &Options) -> Result<Vec<Edit>, String> {
    let module = site.module;
    if let Some(reason) = generated(module).or_else(|| obstacle(site)) {
        return Err(reason);
    }
    let Some(statement) = statement_of(site) else { return Err("it is in no statement".to_string()) };
    let gives = gives(&statement, call)?;
    let range = statement.node.range();
    own_lines(module, range)?;
    if let Some(reason) = lost_comment(module, range, &[]) {
        return Err(reason);
    }
    let named = |wanted: &str| imported(site, wanted).ok_or_else(|| taken(module, wanted));
    let asyncio = named("asyncio")?;
    let (subprocess, import) = match &*call.func {
        Expr::Attribute(attribute) => (module.source(&*attribute.value).to_string(), None),
        _ => named("subprocess").map(|found| (found.name, found.edit))?,
    };
    let lines = lines(site, options, &gives, &asyncio.name, &subprocess)?;
    let separator = format!("{}{}", module.lines().newline(), module.lines().indentation(range.start()));
    let mut edits = vec![Edit::replace(range, lines.join(&separator))];
    edits.extend(asyncio.edit);
    edits.extend(import.filter(|_| lines.iter().any(|line| line.contains(&format!("{subprocess}.")))));
    let read = module.source(&*call.func);
    Ok(without_unread(module, read.split('.').next().unwrap_or(read), edits))
}

/// The statements that take the place of the call.
fn lines(
    site: &Site,
    options: &Options,
    gives: &Gives,
    asyncio: &str,
    subprocess: &str,
) -> Result<Vec<String>, String> {
    let module = site.module;
    let process = free_name(site, &["process", "child"])?;
    let needs_result = options.check || !matches!(gives, Gives::Nothing);
    let mut lines = vec![];
    let command = match options.command {
        Expr::Name(name) => name.id.to_string(),
        written if needs_result => {
            let name = free_name(site, &["command", "arguments"])?;
            lines.push(format!("{name} = {}", module.source(written)));
            name
        }
        written => module.source(written).to_string(),
    };
    let (create, star) = if options.shell { ("shell", "") } else { ("exec", "*") };
    let words = match options.command {
        Expr::List(list) if !needs_result => list.elts.as_slice(),
        Expr::Tuple(tuple) if !needs_result => tuple.elts.as_slice(),
        _ => &[],
    };
    let mut arguments: Vec<_> = words.iter().map(|word| module.source(word).to_string()).collect();
    if words.is_empty() {
        arguments.push(format!("{star}{command}"));
    }
    arguments.extend(options.input.map(|_| format!("stdin={asyncio}.subprocess.PIPE")));
    if options.pipes {
        let pipes = ["stdout", "stderr"].map(|stream| format!("{stream}={asyncio}.subprocess.PIPE"));
        arguments.extend(pipes);
    }
    arguments.extend(options.passed.iter().map(|keyword| module.source(*keyword).to_string()));
    lines.push(format!("{process} = await {asyncio}.create_subprocess_{create}({})", arguments.join(", ")));

    let input = match options.input {
        Some(input) if options.text => {
            let written = module.source(input);
            let is_simple = matches!(input, Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_) | Expr::Subscript(_));
            if is_simple { format!("{written}.encode()") } else { format!("({written}).encode()") }
        }
        Some(input) => module.source(input).to_string(),
        None => String::new(),
    };
    let mut result = vec![command, format!("{process}.returncode")];
    if options.captured == [false; 2] {
        lines.push(match options.input {
            Some(_) => format!("await {process}.communicate({input})"),
            None => format!("await {process}.wait()"),
        });
    } else {
        let streams = [free_name(site, &["stdout", "output"])?, free_name(site, &["stderr", "errors"])?];
        lines.push(format!("{} = await {process}.communicate({input})", streams.join(", ")));
        let decode = if options.text { ".decode()" } else { "" };
        for (stream, is_captured) in streams.into_iter().zip(options.captured) {
            result.push(if is_captured { format!("{stream}{decode}") } else { "None".to_string() });
        }
    }
    let made = format!("{subprocess}.CompletedProcess({})", result.join(", "));
    match gives {
        Gives::Nothing if options.check => lines.push(format!("{made}.check_returncode()")),
        Gives::Nothing => {}
        Gives::Assigned(target, Some(name)) => {
            lines.push(format!("{target} = {made}"));
            lines.extend(options.check.then(|| format!("{name}.check_returncode()")));
        }
        Gives::Assigned(..) | Gives::Returned if options.check => {
            let name = free_name(site, &["completed", "finished"])?;
            lines.push(format!("{name} = {made}"));
            lines.push(format!("{name}.check_returncode()"));
            lines.push(match gives {
                Gives::Assigned(target, _) => format!("{target} = {name}"),
                _ => format!("return {name}"),
            });
        }
        Gives::Assigned(target, None) => lines.push(format!("{target} = {made}")),
        Gives::Returned => lines.push(format!("return {made}")),
    }
    Ok(lines)
}
