//! A file of cases: see `tests/cases/README.md`.

use std::path::{Path, PathBuf};

/// A Markdown file with its cases.
pub struct Document {
    pub path: PathBuf,
    lines: Vec<String>,
    pub cases: Vec<Case>,
}

/// One case: what stands between two headings.
#[derive(Default)]
pub struct Case {
    pub heading: String,
    pub programs: Vec<Program>,
    /// The expected fences: info string and text, with the range of lines of the fence in the file.
    pub expected: Vec<(String, String)>,
    /// The lines behind the last program, where the expected fences begin; and behind the last fence.
    span: (usize, usize),
}

/// One file of a case.
pub struct Program {
    pub file: String,
    pub code: String,
    /// The byte offset of `$0`, which the code no longer holds.
    pub cursor: Option<usize>,
    /// A Python version, if the case is for another than the usual.
    pub target: Option<(u8, u8)>,
    /// The case's files are the root of a project of their own.
    pub root: bool,
    /// The lines end in carriage return and line feed.
    pub crlf: bool,
}

impl Document {
    /// The documents below `folder`.
    pub fn all(folder: &Path) -> Vec<Self> {
        crate::markdown_files(folder).iter().map(|path| Self::read(path)).collect()
    }

    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let mut cases: Vec<Case> = vec![];
        let mut index = 0;
        while index < lines.len() {
            let line = &lines[index];
            index += 1;
            if let Some(heading) = line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
                cases.push(Case { heading: heading.to_string(), span: (index, index), ..Case::default() });
            }
            let ticks = line.len() - line.trim_start_matches('`').len();
            if ticks < 3 {
                continue;
            }
            let info = line[ticks..].trim().to_string();
            let end = (index..lines.len()).find(|&at| lines[at].trim_end() == &line[..ticks]).unwrap_or(lines.len());
            let code: String = lines[index..end].iter().map(|line| format!("{line}\n")).collect();
            index = end + 1;
            let Some(case) = cases.last_mut() else { panic!("{}: a fence before the first heading", path.display()) };
            if info.starts_with("python") && info != "python after" && !info.starts_with("python after ") {
                case.programs.push(Program::new(&info, code));
                case.span = (index, index);
            } else {
                case.expected.push((info, code));
                case.span.1 = index;
            }
        }
        Self { path: path.to_path_buf(), lines, cases }
    }

    /// The file's text with each case's expected fences replaced.
    pub fn updated(&self, expected: &[Vec<(String, String)>]) -> String {
        let mut text = String::new();
        let mut done = 0;
        for (case, expected) in self.cases.iter().zip(expected) {
            text.extend(self.lines[done..case.span.0].iter().map(|line| format!("{line}\n")));
            for (info, fence) in expected {
                text.push_str(&format!("\n```{info}\n{fence}```\n"));
            }
            done = case.span.1;
        }
        text.extend(self.lines[done..].iter().map(|line| format!("{line}\n")));
        text
    }
}

impl Program {
    fn new(info: &str, code: String) -> Self {
        let crlf = info.split_whitespace().any(|word| word == "crlf");
        let code = if crlf { code.replace('\n', "\r\n") } else { code };
        let mut program =
            Self { file: "main.py".to_string(), cursor: code.find("$0"), code, target: None, root: false, crlf };
        program.code = program.code.replacen("$0", "", 1);
        for word in info.split_whitespace().skip(1) {
            match word.split_once('=') {
                Some(("file", file)) => program.file = file.to_string(),
                Some(("target", version)) => {
                    let (major, minor) = version.split_once('.').unwrap();
                    program.target = Some((major.parse().unwrap(), minor.parse().unwrap()));
                }
                None if word == "root" => program.root = true,
                None if word == "crlf" => {}
                _ => panic!("`{word}` means nothing behind ```python in a case"),
            }
        }
        program
    }
}

impl Case {
    pub fn needs_own_project(&self) -> bool {
        self.programs.iter().any(|program| program.root || program.target.is_some())
    }

    /// Where a file of this case is written: cases are packages, so that their files import each other relatively.
    pub fn path(&self, root: &Path, document: &Path, file: &str) -> PathBuf {
        let name: String = self.heading.chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).collect();
        // Not below a folder called `tests`: what stands there is taken for a test suite.
        let document = document.strip_prefix("tests").unwrap_or(document);
        let folder = document.with_extension("").to_string_lossy().replace('-', "_");
        root.join(folder).join(format!("case_{name}")).join(file)
    }
}
