//! What Markdown cannot hold: hostile files, closed pipes, and what must hold for the demo program whatever the pages say.

use std::io::Read as _;
use std::process::Stdio;

use crate::Outcome;
use crate::session::Folder;

/// A name and what is tried.
type Test = (&'static str, fn() -> Outcome);

pub const ALL: &[Test] = &[
    ("hostile files end in a message", hostile_files),
    ("hostile files leave the others checked", hostile_beside_good),
    ("a long generated table is no burden on the files that use it", long_table),
    ("a file that does not end is given up, the others are checked", endless_file),
    ("a refactoring that would take too much gives up with a reason", too_much),
    ("a reader that goes away is no error", closed_pipe),
    ("the demo program is shown whole, explained, in 100 columns", demo),
    ("names in help texts exist", names_in_help),
    ("completions name every command", completions),
    ("every command has a manual page with its options", manual_pages),
];

/// The engine's work on such a table grows with the square of its length: shown whole, this one would fill the memory.
fn long_table() -> Outcome {
    let folder = Folder::new("table");
    let stores: String = (0..30_000).map(|number| format!("NAMES[{number}] = 'name {number}'\n")).collect();
    folder.write("names.py", format!("NAMES = {{}}\n{stores}"));
    let program = "import time\n\nfrom names import NAMES\n\n\nasync def find(value):\n    for key, name in NAMES.items():\n        \
                   if name == value:\n            time.sleep(key)\n";
    folder.write("find.py", program);
    let output = folder.run(&["check", "--format", "concise", "find.py"]);
    let text = String::from_utf8_lossy(&output.stdout);
    match text.contains("find.py:9:13: warning[asyncio/blocking-call]") {
        true => Ok(()),
        false => Err(format!("{}\n{text}", output.status).into()),
    }
}

/// What cannot be looked at whole is refused, for a coroutine, a handler or another use may be in what was not seen.
fn too_much() -> Outcome {
    let folder = Folder::new("too_much");
    let numbers = || 1..70;
    let chain = |first: &str, last: &str| -> String {
        let steps = numbers().map(|number| format!("\n\ndef step{number}():\n    step{}()\n", number - 1));
        format!("import asyncio\nimport time\n\n\n{first}{}{last}", steps.collect::<String>())
    };
    let main = "\n\nasync def main():\n    step69()\n";
    folder.write("chain.py", chain("def step0():\n    time.sleep(1)\n", main));
    folder.write(
        "often.py",
        format!("import time\n\n\ndef load():\n    time.sleep(1)\n\n\n{}", "load()\n".repeat(1_001)),
    );
    let parts: String = numbers().map(|number| format!("\n\ndef part{number}():\n    return {number}\n")).collect();
    let calls: String = numbers().map(|number| format!("    part{number}()\n")).collect();
    let whole =
        format!("import time\n\n\nasync def main():\n    whole()\n\n\ndef whole():\n    time.sleep(1)\n{calls}{parts}");
    folder.write("wide.py", whole);
    let group = "async def work():\n    pass\n\n\nasync def step0():\n    await asyncio.gather(work(), work())\n";
    let group = chain(group, "").replace("\ndef step", "\nasync def step").replace("    step", "    await step");
    folder.write("group.py", group);
    let told = [
        ("chain.py:5:5", "make_async: refused", "more than 60 functions would have to change"),
        (
            "chain.py:5:5",
            "sync_facade: refused",
            "more than 60 functions lead to it, and a coroutine may be behind them",
        ),
        ("often.py:4:5", "make_async: refused", "`load` is mentioned 1002 times, too often to look at each"),
        ("often.py:4:5", "sync_facade: refused", "`load` is mentioned 1002 times, too often to look at each"),
        ("wide.py:5:5", "helper_to_thread: refused", "it runs more than 64 functions"),
        ("group.py:10:19", "task_group: ", "not all callers were looked at"),
    ];
    for (place, offer, reason) in told {
        let output = folder.run(&["rewrite", place]);
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.lines().any(|line| line.starts_with(offer) && line.contains(reason)) {
            return Err(format!("{place} {offer}: {}\n{text}", output.status).into());
        }
    }
    Ok(())
}

/// One stops when it is asked to, the other one does not and is left alone.
fn endless_file() -> Outcome {
    for variable in ["DUNDERSTAND_TEST_ENDLESS", "DUNDERSTAND_TEST_DEAF"] {
        let folder = Folder::new("endless");
        let program =
            "import asyncio\n\nlock = asyncio.Lock()\n\n\nasync def wait():\n    with lock:\n        print(1)\n";
        for file in ["after.py", "before.py", "busy.py", "endless.py"] {
            folder.write(file, program);
        }
        for fix in [&[][..], &["--fix", "--diff"]] {
            let arguments = [&["check", "--format", "concise"], fix].concat();
            let output = folder.command(&arguments).env(variable, "busy.py").output()?;
            let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let told =
                "error: busy.py: given up after 0 s: working out its types did not end; the other files are read\n";
            let others = ["after.py", "before.py", "endless.py"];
            if output.status.code() != Some(2)
                || !errors.contains(told)
                || !others.iter().all(|file| text.contains(file))
            {
                return Err(format!("{variable} {arguments:?}: {}\n{text}\n{errors}", output.status).into());
            }
        }
    }
    Ok(())
}

/// Files that a reader of Python must survive, with a part of what it says about them.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("brackets.py", format!("x = {}{}\n", "[".repeat(5000), "]".repeat(5000)).into_bytes(), "brackets"),
        ("binary.py", (0..=255).cycle().take(10_000).collect(), "UTF-8"),
        ("latin.py", b"name = 'caf\xe9'\n".to_vec(), "UTF-8"),
        ("large.py", b"x = 1\n".repeat(3_500_000), "20 MB"),
        ("sum.py", format!("x = {}1\n", "1 + ".repeat(5000)).into_bytes(), "operators"),
    ]
}

fn hostile_files() -> Outcome {
    let folder = Folder::new("hostile");
    for (file, content, reason) in hostile() {
        folder.write(file, content);
        let place = format!("{file}:1:1");
        for arguments in [["check", file], ["hover", &place]] {
            let output = folder.run(&arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            let said = errors.starts_with(&format!("error: {file}: ")) && errors.contains(reason);
            if output.status.code() != Some(2) || !said || errors.contains("panicked") {
                return Err(format!("{arguments:?}: {}\n{errors}", output.status).into());
            }
        }
    }
    Ok(())
}

fn hostile_beside_good() -> Outcome {
    let folder = Folder::new("beside");
    for (file, content, _) in hostile() {
        folder.write(file, content);
    }
    folder.write("good.py", "import time\n\n\nasync def wait():\n    time.sleep(1)\n");
    let output = folder.run(&["check", "--format", "concise"]);
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.code() != Some(2) || !text.contains("good.py:5:5: warning[asyncio/blocking-call]") {
        return Err(format!("{}\n{text}", output.status).into());
    }
    Ok(())
}

fn closed_pipe() -> Outcome {
    let folder = Folder::new("pipe");
    // More than a pipe holds, so that the program is still writing when the reader has gone.
    let functions = (0..300).map(|number| format!("async def f{number}():\n    time.sleep(1)\n"));
    folder.write("long.py", format!("import time\n{}", functions.collect::<String>()));
    for arguments in [["annotate", "long.py"], ["check", "long.py"]] {
        let mut child = folder.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut first = [0; 16];
        child.stdout.take().ok_or("no pipe")?.read_exact(&mut first)?;
        let output = child.wait_with_output()?;
        if !output.status.success() || !output.stderr.is_empty() {
            return Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into());
        }
    }
    Ok(())
}

fn demo() -> Outcome {
    let folder = Folder::new("demo");
    let output = folder.run(&["annotate"]);
    let text = String::from_utf8(output.stdout)?;
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut drawn = text.lines();
    for (index, line) in include_str!("../../src/cli/demo.py").lines().enumerate() {
        let number = format!("{:>3} │", index + 1);
        let shown = drawn.by_ref().find(|drawn| drawn.starts_with(&number)).unwrap_or_default();
        let code: String = shown.replace('›', "‹").split('‹').step_by(2).map(str::trim).collect();
        if !code.replace(' ', "").contains(&line.replace(' ', "")) {
            return Err(format!("line {} is drawn as {shown}", index + 1).into());
        }
    }
    for concept in ["descriptors/assignment", "weakref/defeated", "asyncio/not-started", "threads/run-method"] {
        if !text.lines().any(|line| line.contains('│') && line.ends_with(concept)) {
            return Err(format!("no note on {concept}\n{text}").into());
        }
    }
    match text.lines().find(|line| line.chars().count() > 100) {
        Some(line) => Err(format!("too wide: {line}").into()),
        None => Ok(()),
    }
}

fn names_in_help() -> Outcome {
    let folder = Folder::new("help");
    let mut ids = 0;
    for command in ["annotate", "hover", "check", "explain", "pages", "rewrite", "completions", ""] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let help = String::from_utf8(folder.run(&arguments).stdout)?;
        let is_topic = |word: &str| {
            ["asyncio", "threads", "weakref", "descriptors"]
                .iter()
                .any(|topic| word.strip_prefix(topic).is_some_and(|rest| rest.starts_with('/')))
        };
        for id in help.split([' ', ',', '\n']).filter(|word| is_topic(word)) {
            ids += 1;
            let output = folder.run(&["explain", id]);
            if !String::from_utf8_lossy(&output.stdout).contains(&format!("`{id}`")) {
                return Err(format!("`{command} --help` names {id}, which is no page").into());
            }
        }
    }
    if ids > 0 { Ok(()) } else { Err("no help text names a page".into()) }
}

fn completions() -> Outcome {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(folder.run(&["completions", shell]).stdout)?;
        for command in ["annotate", "hover", "check", "explain", "pages", "rewrite"] {
            if !script.contains(command) {
                return Err(format!("{shell}: no {command}").into());
            }
        }
    }
    Ok(())
}

fn manual_pages() -> Outcome {
    let folder = Folder::new("man");
    let output = folder.run(&["man", "--all", "pages"]);
    if !output.status.success() || !output.stdout.is_empty() {
        return Err(format!("man --all: {}", output.status).into());
    }
    let program = folder.read("pages/dunderstand.1");
    for command in
        ["annotate", "hover", "check", "explain", "facts", "pages", "rewrite", "completions", "man", "server"]
    {
        let page = folder.read(&format!("pages/dunderstand-{command}.1"));
        let named = program.contains(&format!("dunderstand\\-{command}(1)"));
        let alone = folder.run(&["man", command]).stdout;
        if !page.contains(".TH dunderstand") || !page.contains("\\-\\-help") || !named || alone != page.as_bytes() {
            return Err(format!("the manual page of {command}:\n{page}").into());
        }
    }
    if folder.read("pages/dunderstand-check.1").contains("\\-\\-format") { Ok(()) } else { Err("no --format".into()) }
}
