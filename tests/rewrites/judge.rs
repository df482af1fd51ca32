//! CPython's word on a result: it compiles, reads no name that is bound nowhere, and keeps the comments.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::interpreters::INTERPRETERS;

/// A process of the newest CPython at hand that judges one pair of texts after another.
pub struct Judge {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    pub fn start() -> Self {
        let python = INTERPRETERS.last().unwrap();
        let mut process = Command::new(&python.path)
            .args(["-I", "-X", "utf8", "-c", include_str!("judge.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (questions, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, questions, answers: BufReader::new(answers) }
    }

    /// What is wrong with `after`; nothing, if `before` does not compile. `what` says what was done, for the printed diff.
    pub fn problems(&mut self, before: &str, after: &str, what: &str) -> Vec<String> {
        writeln!(self.questions, "{}", serde_json::json!([before, after, what])).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| vec!["no judgement".to_string()])
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
