//! `dunderstand facts` held against CPython, and against files that no program should fall over.

#[path = "facts/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the pages' tests use all of it")]
#[path = "markdown/interpreters.rs"]
mod interpreters;
#[path = "facts/library.rs"]
mod library;
#[path = "facts/mechanisms.rs"]
mod mechanisms;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test says when it fails.
type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let mut trials: Vec<Trial> =
        hostile::ALL.iter().chain(mechanisms::ALL).map(|(name, test)| Trial::test(*name, test)).collect();
    for interpreter in library::judges() {
        let name = format!("the standard library, judged by CPython {}", interpreter.exact);
        trials.push(Trial::test(name, || library::judge(interpreter)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
