//! Cases hold the edges of the views: programs and what is shown on them. See `tests/cases/README.md`.

use std::path::Path;

use dunderstand::analysis::Module;
use dunderstand::features::{Options, View, code_actions, diagnostics, hover, inlay_hints};
use dunderstand::text::{TextLen as _, TextRange, TextSize, apply};

use libtest_mimic::Failed;

use crate::Outcome;
use crate::document::{Case, Document, Program};
use crate::project::{SHARED, TARGET, on_large_stack, open, write};

type Fences = Vec<(String, String)>;

pub fn case(path: &Path) -> Outcome {
    let view = path.strip_prefix("tests/cases")?.iter().next().unwrap().to_string_lossy().to_string();
    let document = Document::read(path);
    let mut all = vec![];
    let mut problems = vec![];
    for case in &document.cases {
        if case.programs.is_empty() {
            all.push(case.expected.clone());
            continue;
        }
        let found = shown(&view, &document, case)?;
        if found != case.expected {
            let text = |fences: &Fences| {
                fences.iter().map(|(info, text)| format!("```{info}\n{text}```\n")).collect::<String>()
            };
            problems.push(format!("{}\nfound:\n{}expected:\n{}", case.heading, text(&found), text(&case.expected)));
        }
        all.push(found);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, document.updated(&all))?;
        return Ok(());
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("\n{}", problems.join("\n")).into()) }
}

/// What the view shows on the case's program with the cursor, or its last one.
fn shown(view: &str, document: &Document, case: &Case) -> Result<Fences, Failed> {
    let with_cursor = case.programs.iter().find(|program| program.cursor.is_some());
    let program = with_cursor.or(case.programs.last()).ok_or("the case has no program")?;
    let show = match view {
        "hover" => show_hover,
        "hints" => show_hints,
        "diagnostics" => show_diagnostics,
        "actions" => show_actions,
        _ => return Err(format!("there is no view `{view}`").into()),
    };
    if !case.needs_own_project() {
        let path = case.path(SHARED.root(), &document.path, &program.file);
        return Ok(SHARED.read(&path, |module| show(module, program)));
    }
    let root = case.path(&SHARED.own_root(), &document.path, "");
    for program in &case.programs {
        write(&root.join(&program.file), &program.code);
    }
    let target = case.programs.iter().find_map(|program| program.target).unwrap_or(TARGET);
    let mut project = open(&root, target);
    project.look_through_workspace();
    Ok(on_large_stack(project.snapshot(), &root.join(&program.file), |module| show(module, program)))
}

fn with_view<T>(module: &Module, show: impl FnOnce(&View) -> T) -> T {
    let options = Options::default();
    show(&View { module, store: &SHARED.store, options: &options })
}

fn cursor(program: &Program) -> TextSize {
    let cursor = program.cursor.unwrap_or_else(|| panic!("the program has no `$0`"));
    TextSize::try_from(cursor).unwrap()
}

fn lines_or_nothing(lines: Vec<String>) -> String {
    if lines.is_empty() { "(nothing)\n".to_string() } else { lines.iter().map(|line| format!("{line}\n")).collect() }
}

fn show_hover(module: &Module, program: &Program) -> Fences {
    let hover = with_view(module, |view| hover(view, cursor(program)));
    let text = hover.map_or("(nothing)".to_string(), |hover| hover.markdown.replace("  \n", "\n"));
    vec![("markdown".to_string(), format!("{text}\n"))]
}

fn show_hints(module: &Module, _program: &Program) -> Fences {
    let whole = TextRange::up_to(module.text().text_len());
    let hints = with_view(module, |view| inlay_hints(view, whole));
    let mut text = module.text().to_string();
    for hint in hints.iter().rev() {
        text.insert_str(hint.offset.to_usize(), &format!("⟦{}⟧", hint.label));
    }
    vec![("python after".to_string(), text)]
}

fn show_diagnostics(module: &Module, _program: &Program) -> Fences {
    let mut lines = vec![];
    for diagnostic in with_view(module, diagnostics) {
        let line = module.lines().line(diagnostic.range.start());
        let severity = format!("{:?}", diagnostic.severity).to_lowercase();
        let code = module.source(diagnostic.range).lines().next().unwrap_or_default();
        lines.push(format!("{line}: {severity}[{}] {}", diagnostic.concept, diagnostic.message));
        lines.push(format!("    on {code}"));
        for related in diagnostic.related {
            let file = related.place.path.file_name().unwrap_or_default().to_string_lossy().to_string();
            lines.push(format!("    {file}:{}: {}", related.place.line, related.message));
        }
    }
    vec![("text".to_string(), lines_or_nothing(lines))]
}

fn show_actions(module: &Module, program: &Program) -> Fences {
    let actions = with_view(module, |view| code_actions(view, TextRange::empty(cursor(program)), &|_| true));
    let actions: Vec<_> = actions.into_iter().filter(|action| !action.title.starts_with("Suppress ")).collect();
    let mut lines = vec![];
    for action in &actions {
        let preferred = if action.is_preferred { " (preferred)" } else { "" };
        lines.push(format!("{}: {}{preferred}", action.kind, action.title));
        lines.extend(action.disabled.as_ref().map(|reason| format!("    refused: {reason}")));
    }
    let mut fences = vec![("text".to_string(), lines_or_nothing(lines))];
    for file in actions.iter().flat_map(|action| &action.files) {
        let text = std::fs::read_to_string(&file.path).unwrap();
        let mut result = apply(&text, &file.edits).unwrap_or_else(|| "(the edits overlap)\n".to_string());
        if program.crlf {
            assert_eq!(
                result.matches('\n').count(),
                result.matches("\r\n").count(),
                "a line ends in a line feed alone"
            );
            result = result.replace("\r\n", "\n");
        }
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().to_string();
        let info = if name == program.file { "python after".to_string() } else { format!("python after file={name}") };
        fences.push((info, result));
    }
    fences
}
