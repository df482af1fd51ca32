//! Files that break, cycle or nest: each gets its line, with `null` for what is not known.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::Outcome;

/// A name and what is tried.
pub type Test = (&'static str, fn() -> Outcome);

pub const ALL: &[Test] = &[
    ("a file that does not parse has its line", broken),
    ("a cycle of imports is answered", cycle_of_imports),
    ("a cycle of bases is answered", cycle_of_bases),
    ("a class from an unknown base claims nothing that depends on it", unknown_base),
    ("what cannot be read has its line and a message", unreadable),
    ("deep nesting is answered or refused", nesting),
    ("a class whose bases another module assigns has no known order", assigned_bases),
    ("three thousand classes in a chain are answered", chain),
    ("links that lead back are followed once", links),
    ("other encodings, a byte zero and nothing at all have their lines", encodings),
    ("twenty thousand lines are answered", long),
];

pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("dunderstand-facts-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(path)
    }

    /// Runs `facts` over the folder: the lines by their file's name, and all that was printed.
    pub fn facts(&self) -> (Vec<(String, Value)>, Output) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dunderstand"));
        command.args(["facts", "--format", "json", "."]).current_dir(&self.0).env_clear();
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let name = line["path"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
            (name, line)
        });
        (lines.collect(), output)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn class<'l>(lines: &'l [(String, Value)], file: &str, name: &str) -> &'l Value {
    let (_, line) = lines.iter().find(|(found, _)| found == file).unwrap_or_else(|| panic!("no line for {file}"));
    let classes = line["classes"].as_array().unwrap();
    classes.iter().find(|class| class["qualname"] == name).unwrap_or_else(|| panic!("no {name} in {line}"))
}

pub fn check(holds: bool, what: &str, found: &impl std::fmt::Debug) -> Outcome {
    if holds { Ok(()) } else { Err(format!("{what}: {found:?}").into()) }
}

/// Nothing crashed, and the exit code is as expected.
pub fn ended(output: &Output, code: i32) -> Outcome {
    let errors = String::from_utf8_lossy(&output.stderr);
    check(output.status.code() == Some(code) && !errors.contains("bug in dunderstand"), "the end", output)
}

fn broken() -> Outcome {
    let text = "class Whole:\n    def get(self): return 1\n\nclass Half(Whole\n    def method(self:\n";
    let folder = Folder::new("broken", &[("broken.py", text), ("good.py", "class Good: pass\n")]);
    let (lines, output) = folder.facts();
    ended(&output, 2)?;
    check(lines.len() == 2, "two lines", &lines)?;
    check(class(&lines, "good.py", "Good")["metaclass"] == "builtins.type", "the other file", &lines)?;
    check(class(&lines, "broken.py", "Whole")["metaclass"] == "builtins.type", "what stands before the error", &lines)?;
    check(String::from_utf8_lossy(&output.stderr).contains("broken.py"), "a message names the file", &output)
}

fn cycle_of_imports() -> Outcome {
    let one = "from two import Second\n\nclass First: pass\n\nclass Third(Second): pass\n\nvalue = Second.made\n";
    let two = "from one import First, value\n\nclass Second(First):\n    made = value\n";
    let star = "from other_star import *\nfrom star import *\n\nclass Starred(Unbound): pass\n";
    let other = "from star import *\n\nclass Other: pass\n";
    let folder =
        Folder::new("imports", &[("one.py", one), ("two.py", two), ("star.py", star), ("other_star.py", other)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    check(lines.len() == 4, "four lines", &lines)?;
    check(class(&lines, "one.py", "First")["metaclass"] == "builtins.type", "the class without bases", &lines)?;
    check(class(&lines, "star.py", "Starred")["mro"].is_null(), "a base that nothing binds", &lines)
}

fn cycle_of_bases() -> Outcome {
    let one = "import two\n\nclass A(two.B): pass\n";
    let two = "import one\n\nclass B(one.A): pass\n\nclass Own(Own): pass\n";
    let meta = "class Meta(Ring): pass\n\nclass Ring(metaclass=Meta): pass\n";
    let folder = Folder::new("bases", &[("one.py", one), ("two.py", two), ("meta.py", meta)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    for (file, name) in [("one.py", "A"), ("two.py", "B"), ("two.py", "Own"), ("meta.py", "Meta")] {
        check(class(&lines, file, name)["mro"].is_null(), name, &lines)?;
    }
    Ok(())
}

fn unknown_base() -> Outcome {
    let text = "from nowhere import Base\n\nclass Child(Base):\n    x = object()\n    def f(self): pass\n\n\
                class Grandchild(Child): pass\n";
    let folder = Folder::new("unknown", &[("child.py", text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    for name in ["Child", "Grandchild"] {
        let class = class(&lines, "child.py", name);
        for fact in ["metaclass", "mro", "has_dict", "weakrefable"] {
            // What a base allows can only be added to, so one that is true would be no guess.
            let may_be_true = ["has_dict", "weakrefable"].contains(&fact) && class[fact] == true;
            check(class[fact].is_null() || may_be_true, fact, class)?;
        }
    }
    Ok(())
}

fn unreadable() -> Outcome {
    let folder = Folder::new("unreadable", &[("good.py", "class Good: pass\n")]);
    std::fs::write(folder.0.join("binary.py"), [0xff, 0xfe, 0x00, 0x80].repeat(100)).unwrap();
    std::fs::write(folder.0.join("large.py"), "x = 1\n".repeat(3_500_000)).unwrap();
    std::fs::write(folder.0.join("empty.py"), "").unwrap();
    let (lines, output) = folder.facts();
    ended(&output, 2)?;
    check(lines.len() == 4, "four lines", &lines.iter().map(|(name, _)| name).collect::<Vec<_>>())?;
    let errors = String::from_utf8_lossy(&output.stderr);
    check(errors.contains("binary.py") && errors.contains("large.py"), "messages name the files", &errors)
}

fn nesting() -> Outcome {
    let depth = 3000;
    let indented = |keyword: &str| -> String {
        (0..150).map(|level| format!("{}{keyword}{level}:\n", " ".repeat(level))).collect::<String>()
            + &format!("{}pass\n", " ".repeat(150))
    };
    let brackets = format!("x = {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let calls = format!("x = {}1{}\n", "f(".repeat(depth), ")".repeat(depth));
    let attributes = format!("x = a{}\n", ".b".repeat(depth));
    let sums = format!("x = {}1\n", "1 + ".repeat(depth));
    // The orders of a chain add up to its square.
    let chain: String = (0..depth / 6).map(|n| format!("class C{}(C{n}): pass\n", n + 1)).collect();
    let chain = format!("class C0: pass\n{chain}");
    let values: String = (0..depth).map(|n| format!("x{} = x{n}\n", n + 1)).collect();
    let values = format!("x0 = object()\n{values}\nclass Late:\n    member = x{depth}\n");
    let branches: String = (0..depth).map(|n| format!("elif flag == {n}:\n    y = {n}\n")).collect();
    let branches = format!("if flag:\n    y = 0\n{branches}");
    let decorated = format!("def d(f): return f\n{}def g(): pass\n", "@d\n".repeat(depth));
    let (classes, ifs) = (indented("class C"), indented("if x"));
    let files = [
        ("brackets.py", &brackets),
        ("calls.py", &calls),
        ("attributes.py", &attributes),
        ("sums.py", &sums),
        ("chain.py", &chain),
        ("values.py", &values),
        ("branches.py", &branches),
        ("decorated.py", &decorated),
        ("classes.py", &classes),
        ("ifs.py", &ifs),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = Folder::new("nesting", &files);
    let (lines, output) = folder.facts();
    ended(&output, 2)?;
    check(lines.len() == files.len(), "a line for each", &lines.iter().map(|(name, _)| name).collect::<Vec<_>>())?;
    let innermost = (0..3).map(|level| format!("C{level}")).collect::<Vec<_>>().join(".");
    check(class(&lines, "classes.py", &innermost)["metaclass"] == "builtins.type", "nested classes", &"classes.py")
}

fn assigned_bases() -> Outcome {
    let widgets = "class Plain: pass\n\nclass Widget: pass\n\nclass Button(Widget):\n    __slots__ = ()\n";
    let patch = "from . import widgets\n\nclass Form: pass\n\nwidgets.Widget.__bases__ = (Form,)\n";
    let files = [("gui/__init__.py", ""), ("gui/widgets.py", widgets), ("gui/patch.py", patch)];
    let folder = Folder::new("assigned", &files);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    for name in ["Widget", "Button"] {
        let class = class(&lines, "widgets.py", name);
        check(class["mro"].is_null() && class["has_dict"] == true, name, class)?;
    }
    check(class(&lines, "widgets.py", "Plain")["mro"].is_array(), "the class that nobody assigns", &lines)
}

fn chain() -> Outcome {
    let chain: String = (0..3000).map(|n| format!("class C{}(C{n}): pass\n", n + 1)).collect();
    let folder = Folder::new("chain", &[("chain.py", &format!("class C0: pass\n{chain}"))]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    let last = class(&lines, "chain.py", "C3000");
    // Where the stack would not do, nothing is claimed.
    let order = last["mro"].as_array().map(Vec::len);
    check(order.is_none_or(|length| length == 3002), "the order of the last", &order)?;
    check(class(&lines, "chain.py", "C9")["mro"].as_array().map(Vec::len) == Some(11), "an early one", &"chain.py")
}

fn links() -> Outcome {
    let folder = Folder::new("links", &[("package/__init__.py", ""), ("package/one.py", "class One: pass\n")]);
    std::os::unix::fs::symlink("..", folder.0.join("package/back"))?;
    std::os::unix::fs::symlink("itself", folder.0.join("itself"))?;
    std::os::unix::fs::symlink("nowhere.py", folder.0.join("broken_link.py"))?;
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    check(lines.len() == 2, "each file once", &lines)
}

fn encodings() -> Outcome {
    let folder = Folder::new("encodings", &[("empty.py", ""), ("mark.py", "\u{feff}class Marked: pass\n")]);
    std::fs::write(folder.0.join("latin.py"), b"# -*- coding: latin-1 -*-\nclass A:\n    name = '\xe9'\n")?;
    std::fs::write(folder.0.join("zero.py"), b"class Before: pass\n\0\nclass After: pass\n")?;
    let (lines, output) = folder.facts();
    ended(&output, 2)?;
    check(lines.len() == 4, "a line for each", &lines)?;
    check(class(&lines, "mark.py", "Marked")["metaclass"] == "builtins.type", "behind a byte order mark", &lines)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    check(errors.contains("latin.py") && errors.contains("zero.py"), "messages name the files", &errors)
}

fn long() -> Outcome {
    let class_of = |n: usize| {
        let body = "    def __init__(self): self.value = 1\n    @property\n    def twice(self): return self.value\n";
        format!("class C{n}:\n{body}    count = {n}\n\nlast = C{n}()\n\n\n")
    };
    let text: String = (0..2500).map(class_of).collect();
    check(text.lines().count() > 20_000, "the length", &text.lines().count())?;
    let folder = Folder::new("long", &[("long.py", &text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    let twice = &class(&lines, "long.py", "C2499")["members"][1];
    check(twice["kind"] == "data-descriptor" && twice["line"] == 22_495, "the last property", twice)
}
