//! Modules of the standard library: what is said about them, judged by the interpreter that has them (`judge.py`).

use std::process::Command;

use crate::Outcome;
use crate::interpreters::{INTERPRETERS, Interpreter};

/// Some are missing in some versions; `judge.py` leaves those out.
const MODULES: &[&str] = &[
    "argparse",
    "ast",
    "asyncio.base_events",
    "asyncio.events",
    "asyncio.locks",
    "asyncio.queues",
    "asyncio.streams",
    "asyncio.tasks",
    "asyncio.transports",
    "bdb",
    "calendar",
    "cmd",
    "codecs",
    "collections",
    "concurrent.futures._base",
    "concurrent.futures.thread",
    "configparser",
    "contextlib",
    "csv",
    "dataclasses",
    "difflib",
    "email.headerregistry",
    "email.message",
    "email.policy",
    "enum",
    "fractions",
    "functools",
    "graphlib",
    "html.parser",
    "http",
    "http.client",
    "http.cookies",
    "http.server",
    "imaplib",
    "importlib.abc",
    "inspect",
    "ipaddress",
    "json.decoder",
    "logging",
    "logging.handlers",
    "mailbox",
    "multiprocessing.managers",
    "multiprocessing.pool",
    "numbers",
    "optparse",
    "pathlib",
    "pdb",
    "pickle",
    "plistlib",
    "pprint",
    "queue",
    "random",
    "reprlib",
    "sched",
    "selectors",
    "shelve",
    "signal",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "statistics",
    "string",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unittest.case",
    "unittest.mock",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "weakref",
    "xml.dom.minidom",
    "xml.etree.ElementTree",
    "xmlrpc.client",
    "zipfile",
];

/// The oldest and the newest interpreter at hand; all of them when `DUNDERSTAND_JUDGES=all`.
pub fn judges() -> Vec<&'static Interpreter> {
    let all = INTERPRETERS.iter();
    if std::env::var_os("DUNDERSTAND_JUDGES").is_some_and(|which| which == "all") {
        return all.collect();
    }
    let ends = [INTERPRETERS.first(), INTERPRETERS.last()].into_iter().flatten();
    let mut ends: Vec<_> = ends.collect();
    ends.dedup_by_key(|interpreter| interpreter.version);
    ends
}

pub fn judge(interpreter: &Interpreter) -> Outcome {
    let python = || {
        let mut command = Command::new(&interpreter.path);
        command.args(["-I", "-X", "utf8", "-B", "-X", "frozen_modules=off", "tests/facts/judge.py"]);
        command
    };
    let files = python().arg("--files").args(MODULES).output()?;
    let files = String::from_utf8(files.stdout)?;
    let files: Vec<&str> = files.lines().collect();
    if files.len() < MODULES.len() / 2 {
        return Err(format!("only {} of {} modules were found", files.len(), MODULES.len()).into());
    }
    let facts = Command::new(env!("CARGO_BIN_EXE_dunderstand"))
        .args(["facts", "--format", "json", "--python"])
        .arg(&interpreter.path)
        .args(&files)
        .output()?;
    if !facts.status.success() {
        return Err(format!("{}\n{}", facts.status, String::from_utf8_lossy(&facts.stderr)).into());
    }
    let answers = std::env::temp_dir().join(format!("dunderstand-facts-{}-{}", std::process::id(), interpreter.exact));
    std::fs::write(&answers, &facts.stdout)?;
    let judged = python().arg(&answers).output();
    std::fs::remove_file(&answers)?;
    let judged = judged?;
    let report = String::from_utf8_lossy(&judged.stdout);
    println!("{report}");
    match judged.status.success() {
        true => Ok(()),
        false => Err(format!("{report}\n{}", String::from_utf8_lossy(&judged.stderr)).into()),
    }
}
