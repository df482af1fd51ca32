//! What settings mean, wherever they are written.

use std::path::Path;

use dunderstand::features::Verbosity;
use dunderstand::pages::Severity;
use dunderstand::settings::{ALL, Configuration, Layer, ProjectFile, Settings};
use serde_json::{Value, json};

fn settings(json: Value) -> Settings {
    Settings::from_layers(&[&Layer::from_json(&json)])
}

#[test]
fn keys_are_nested_or_dotted_with_or_without_the_section() {
    for json in [
        json!({"hover": {"verbosity": "brief", "keywords": {"enable": false}}}),
        json!({"hover.verbosity": "brief", "hover.keywords.enable": false}),
        json!({"hover.verbosity": "brief", "hover": {"keywords.enable": false}}),
        json!({"dunderstand": {"hover": {"verbosity": "brief", "keywords.enable": false}}}),
        json!({"dunderstand.hover": {"verbosity": "brief"}, "dunderstand.hover.keywords.enable": false}),
    ] {
        let options = settings(json.clone()).options;
        assert_eq!((options.verbosity, options.keywords), (Verbosity::Brief, false), "{json}");
    }
}

#[test]
fn an_unknown_key_is_ignored_and_a_wrong_value_is_reported() {
    let layer = Layer::from_json(&json!({
        "hover": {"enable": "yes", "colour": "red", "verbosity": "long"},
        "inlayHints": 3,
        "codeLens": {"enable": true},
    }));
    assert_eq!(
        layer.problems(),
        [
            "`dunderstand.hover.enable` must be true or false, not \"yes\"; it is ignored",
            "`dunderstand.hover.verbosity` must be one of \"brief\", \"full\", not \"long\"; it is ignored",
        ]
    );
    assert_eq!(layer.unknown(), ["codeLens", "hover.colour", "inlayHints"]);
    assert!(Settings::from_layers(&[&layer]).options.hover);
}

#[test]
fn null_and_nothing_leave_the_defaults() {
    for json in [Value::Null, json!({}), json!({"hover": {"enable": null}, "python": null})] {
        let layer = Layer::from_json(&json);
        assert_eq!(layer.problems(), [] as [&str; 0]);
        assert!(Settings::from_layers(&[&layer]).options.hover);
    }
    assert_eq!(Layer::from_json(&json!([1])).problems(), ["the settings must be an object, not [1]"]);
}

#[test]
fn a_severity_is_found_by_concept_before_topic() {
    let json = json!({"diagnostics": {"severity": {"asyncio": "off", "asyncio/blocking-call": "error"}}});
    let options = settings(json).options;
    assert_eq!(options.severity("asyncio/blocking-call"), Some(Some(Severity::Error)));
    assert_eq!(options.severity("asyncio/gather"), Some(None));
    assert_eq!(options.severity("memory/del"), None);
}

#[test]
fn each_category_of_hints_has_a_switch() {
    let defaults = Settings::default().options.hints_off;
    assert_eq!(defaults.into_iter().collect::<Vec<_>>(), ["attributes", "memory", "threads"]);
    let changed = settings(json!({"inlayHints": {"memory": {"enable": true}, "asyncio": {"enable": false}}}));
    assert_eq!(changed.options.hints_off.into_iter().collect::<Vec<_>>(), ["asyncio", "attributes", "threads"]);
}

#[test]
fn the_project_file_wins_over_the_editor_and_the_command_line_over_both() {
    let folder = super::folder::Folder::new("precedence");
    folder.write(
        "pyproject.toml",
        "[project]\nrequires-python = \">=3.10\"\n[tool.ruff]\n[tool.dunderstand]\npython = \".venv\"\n\
         inlay-hints.enable = false\nhover.keywords = { enable = false }\n",
    );
    let editor = Layer::from_json(&json!({"inlayHints.enable": true, "hover.enable": false, "python": "/editor"}));
    let command_line = Layer::from_json(&json!({"hover.keywords.enable": true}));
    let configuration = Configuration::load(folder.path(), &editor, &command_line);
    let options = &configuration.options;
    assert_eq!((options.inlay_hints, options.hover, options.keywords), (false, false, true));
    assert!(options.uses_ruff);
    assert_eq!(options.oldest_python, Some((3, 10)));
    assert_eq!(configuration.root.python.as_deref(), Some(folder.path().join(".venv").as_path()));
    assert_eq!(configuration.problems, []);
}

#[test]
fn a_broken_project_file_is_a_problem_with_its_line() {
    let project = ProjectFile::parse("[tool.dunderstand]\nhover.enable = \"on\"\n");
    assert_eq!(
        project.layer.problems(),
        ["`dunderstand.hover.enable` must be true or false, not \"on\"; it is ignored"]
    );
    let broken = ProjectFile::parse("[project]\nname = \n");
    assert!(broken.problems[0].starts_with("line 2: "), "{:?}", broken.problems);
}

#[test]
fn requires_python_gives_the_lowest_version() {
    let lowest =
        |specifier: &str| ProjectFile::parse(&format!("[project]\nrequires-python = \"{specifier}\"\n")).oldest_python;
    assert_eq!(lowest(">=3.11,<4"), Some((3, 11)));
    assert_eq!(lowest("<4, >= 3.10.2"), Some((3, 10)));
    assert_eq!(lowest("~=3.12"), Some((3, 12)));
    assert_eq!(lowest("==3.11.*"), Some((3, 11)));
    assert_eq!(lowest(">=3"), Some((3, 9)));
    assert_eq!(lowest(">=3.7"), Some((3, 9)));
    assert_eq!(lowest("<4"), None);
}

#[test]
fn paths_start_at_the_root() {
    let editor = Layer::from_json(&json!({"explanationPaths": ["docs/pages", "${workspaceFolder}/more", "/abs"]}));
    let configuration = Configuration::load(Path::new("/no/such/root"), &editor, &Layer::default());
    let folders: Vec<_> = configuration.page_folders.iter().collect();
    assert_eq!(
        folders,
        ["/no/such/root/docs/pages", "/no/such/root/more", "/abs", "/no/such/root/.dunderstand/explanations"]
            .map(Path::new)
    );
}

#[test]
fn the_list_is_alphabetical_and_its_defaults_are_right() {
    assert!(ALL.is_sorted_by_key(|setting| setting.key));
    let defaults = Settings::default();
    for setting in ALL {
        let layer = Layer::from_json(&json!({ setting.key: setting.default_value() }));
        assert_eq!(layer.problems(), [] as [&str; 0], "{}", setting.key);
        let set = Settings::from_layers(&[&layer]);
        assert_eq!(format!("{set:?}"), format!("{defaults:?}"), "{}", setting.key);
        assert!(setting.description.ends_with('.'), "{}", setting.key);
    }
}
