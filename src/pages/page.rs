//! One page: front matter, sections, code fences. The format is described in `explanations/README.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::body::Body;
use super::severity::Severity;
use super::template::Template;

/// The largest page that is read, in bytes.
const SIZE: usize = 256 * 1024;
/// The fact that stands for what the page says of the name at hand.
pub const EACH: &str = "each";

/// The front matter, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FrontMatter {
    title: String,
    facts: Vec<String>,
    hint: Option<String>,
    category: Option<String>,
    message: Option<String>,
    severity: Option<Severity>,
    setting: Option<String>,
    related: BTreeMap<String, String>,
    ruff: Vec<String>,
    noqa: Vec<String>,
    rewrites: Vec<String>,
    since: Option<String>,
    see: Vec<String>,
    sources: Vec<String>,
    symbols: Vec<String>,
    methods: Vec<String>,
    syntax: Vec<String>,
    each: BTreeMap<String, String>,
    partners: BTreeMap<String, Vec<String>>,
    keyword: bool,
    quiet: Vec<String>,
    telling: Vec<String>,
    terms: Vec<String>,
    versions: BTreeMap<String, BTreeMap<String, String>>,
    retired: Option<String>,
}

/// A fact by the first Python that has it, in order; empty where it is missing.
type ByVersion = Vec<((u8, u8), String)>;

/// One concept's page.
#[derive(Debug)]
pub struct Page {
    pub id: String,
    pub path: PathBuf,
    pub title: String,
    /// The names of the facts its templates may use.
    pub facts: Vec<String>,
    pub hint: Option<Template>,
    /// The setting that switches the hint.
    pub category: Option<String>,
    pub message: Option<Template>,
    pub severity: Severity,
    /// The setting that has to be on for the diagnostic to be reported.
    pub setting: Option<String>,
    /// Facts that are places, and what the diagnostic's related information says there.
    pub related: BTreeMap<String, Template>,
    /// Rules of ruff's default set that report the same.
    pub ruff: Vec<String>,
    /// More codes by which `# noqa` on the line says that the same is meant.
    noqa: Vec<String>,
    pub rewrites: Vec<String>,
    /// The first Python the page is true for.
    pub since: (u8, u8),
    pub see: Vec<String>,
    pub sources: Vec<String>,
    pub symbols: Vec<String>,
    pub methods: Vec<String>,
    pub syntax: Vec<String>,
    /// What the page says of each of its names: the fact `each`. The keys are among `symbols` and `methods`.
    pub each: BTreeMap<String, Template>,
    /// By name: the methods of the same object that go with it, and the callables that raise it.
    partners: BTreeMap<String, Vec<String>>,
    /// It is about a keyword: a setting switches its hovers.
    keyword: bool,
    /// Names whose use by itself needs no hover.
    quiet: Vec<String>,
    /// Facts of which one has to be known for a hover: of the names in `quiet`, or of every use where there are none.
    telling: Vec<String>,
    /// Other words for the concept, and the messages of errors it explains: what people search for.
    pub terms: Vec<String>,
    versions: BTreeMap<String, ByVersion>,
    pub retired: Option<String>,
    /// Lines of the summary, most specific first.
    pub summary: Vec<Template>,
    /// Lines of "In your code".
    pub in_your_code: Vec<Template>,
    /// All sections behind the summary, in order: heading and text.
    pub sections: Vec<(String, String)>,
    pub fences: Vec<CodeFence>,
}

/// What a Python fence proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Example,
    /// The text before the named rewrite; `differs` when the rewrite changes what is printed.
    Before {
        rewrite: String,
        differs: bool,
    },
    After {
        rewrite: String,
    },
    /// Shown, not run.
    Sketch,
}

/// A Python code fence of a page.
#[derive(Clone, Debug)]
pub struct CodeFence {
    pub section: String,
    pub role: Role,
    /// The first Python that runs it.
    pub since: (u8, u8),
    /// The third-party package it imports, if it does.
    pub needs: Option<String>,
    pub code: String,
    /// The line of its first line of code in the page, from 1.
    pub line: usize,
}

/// Why a page cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    pub path: PathBuf,
    /// Line of the page, from 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

impl std::error::Error for PageError {}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// A [`PageError`] with the line of the first thing that is wrong.
    pub fn parse(id: &str, path: &Path, text: &str) -> Result<Self, PageError> {
        let error = |line, message: String| PageError { path: path.to_path_buf(), line, message };
        if text.len() > SIZE {
            return Err(error(
                1,
                format!("the page has {} KB; a page has at most {} KB", text.len() >> 10, SIZE >> 10),
            ));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let rest = text.strip_prefix("+++\n").ok_or_else(|| error(1, "a page starts with a line `+++`".to_string()))?;
        let (front, body) = rest
            .split_once("\n+++\n")
            .ok_or_else(|| error(1, "the front matter is not closed by a line `+++`".to_string()))?;
        let matter: FrontMatter = toml::from_str(front).map_err(|problem| {
            let offset = problem.span().map_or(0, |span| span.start.min(front.len()));
            let line = 2 + front[..offset].matches('\n').count();
            error(line, problem.message().to_string())
        })?;
        let body_line = 3 + front.matches('\n').count() + 1;
        let body = Body::parse(body, body_line).map_err(|(line, message)| error(line, message))?;
        let page = Self::assemble(id, path, matter, body).map_err(|message| error(2, message))?;
        page.check_facts(&|message| error(2, message))?;
        Ok(page)
    }

    fn assemble(id: &str, path: &Path, matter: FrontMatter, body: Body) -> Result<Self, String> {
        if matter.title.trim().is_empty() {
            return Err("the page has no `title`".to_string());
        }
        if matter.message.is_some() != matter.severity.is_some() {
            return Err("`message` and `severity` go together".to_string());
        }
        if matter.setting.is_some() && matter.message.is_none() {
            return Err("`setting` switches the `message`, which is missing".to_string());
        }
        if matter.hint.is_some() != matter.category.is_some() {
            return Err("`hint` and `category` go together".to_string());
        }
        if body.summary.is_empty() && matter.retired.is_none() {
            return Err("the page has no summary behind the front matter".to_string());
        }
        let template = |text: &String| Template::parse(text);
        let templates = |lines: &[String]| lines.iter().map(template).collect::<Result<Vec<_>, _>>();
        let versions = matter.versions.iter().map(|(fact, entries)| {
            let mut entries = entries
                .iter()
                .map(|(version, text)| Ok((version_number(version)?, text.clone())))
                .collect::<Result<Vec<_>, String>>()?;
            entries.sort();
            Ok((fact.clone(), entries))
        });
        let each = matter.each.iter().map(|(name, text)| Ok((name.clone(), Template::parse(text)?)));
        let each = each.collect::<Result<BTreeMap<_, _>, String>>()?;
        let (symbols, methods): (Vec<_>, Vec<_>) = matter.each.into_keys().partition(|name| name.contains('.'));
        let related = matter.related.iter().map(|(fact, text)| Ok((fact.clone(), Template::parse(text)?)));
        Ok(Self {
            id: id.to_string(),
            path: path.to_path_buf(),
            facts: matter.facts,
            hint: matter.hint.as_ref().map(template).transpose()?,
            category: matter.category,
            message: matter.message.as_ref().map(template).transpose()?,
            severity: matter.severity.unwrap_or(Severity::Hint),
            setting: matter.setting,
            related: related.collect::<Result<_, String>>()?,
            ruff: matter.ruff,
            noqa: matter.noqa,
            rewrites: matter.rewrites,
            since: matter.since.as_deref().map_or(Ok((3, 9)), version_number)?,
            see: matter.see,
            sources: matter.sources,
            symbols: joined(matter.symbols, symbols),
            methods: joined(matter.methods, methods),
            syntax: matter.syntax,
            each,
            partners: matter.partners,
            keyword: matter.keyword,
            quiet: matter.quiet,
            telling: matter.telling,
            terms: matter.terms,
            versions: versions.collect::<Result<_, String>>()?,
            retired: matter.retired,
            title: matter.title,
            summary: templates(&body.summary)?,
            in_your_code: templates(&body.in_your_code)?,
            sections: body.sections,
            fences: body.fences,
        })
    }

    /// Every fact a template uses is declared.
    fn check_facts(&self, error: &dyn Fn(String) -> PageError) -> Result<(), PageError> {
        for template in self.templates() {
            for fact in template.facts() {
                let is_each = fact == EACH && !self.each.is_empty();
                if !self.facts.iter().any(|name| name == fact) && !self.versions.contains_key(fact) && !is_each {
                    return Err(error(format!("`{{{{{fact}}}}}` is used, but not listed in `facts`")));
                }
            }
        }
        if let Some(fact) = self.telling.iter().find(|fact| !self.facts.contains(fact)) {
            return Err(error(format!("`telling` names `{fact}`, which is not listed in `facts`")));
        }
        let is_foreign = |name: &&String| !self.symbols.contains(name) && !self.methods.contains(name);
        if let Some(name) = self.quiet.iter().find(is_foreign) {
            return Err(error(format!("`quiet` names `{name}`, which the page does not explain")));
        }
        if let Some(name) = self.partners.keys().find(is_foreign) {
            return Err(error(format!("`partners` names `{name}`, which the page does not explain")));
        }
        match self.each.iter().find(|(_, text)| text.facts().any(|fact| fact == EACH)) {
            Some((name, _)) => Err(error(format!("what `[each]` says of `{name}` uses `{{{{each}}}}` itself"))),
            None => Ok(()),
        }
    }

    /// All templates of the page.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let lines = self.summary.iter().chain(&self.in_your_code);
        lines.chain(self.each.values()).chain(&self.hint).chain(&self.message).chain(self.related.values())
    }

    /// Whether another linter reports the same by this code.
    pub fn is_code(&self, code: &str) -> bool {
        self.ruff.iter().chain(&self.noqa).any(|known| known.eq_ignore_ascii_case(code))
    }

    /// The facts that the target Python decides: those of the entry with the largest version not above it.
    pub fn version_facts(&self, target: (u8, u8)) -> impl Iterator<Item = (&str, &str)> {
        self.versions.iter().filter_map(move |(fact, entries)| {
            let (_, text) = entries.iter().rev().find(|(version, _)| *version <= target)?;
            (!text.is_empty()).then_some((fact.as_str(), text.as_str()))
        })
    }

    /// The names of the facts that the target Python decides.
    pub fn version_fact_names(&self) -> impl Iterator<Item = &str> {
        self.versions.keys().map(String::as_str)
    }

    /// The folder the page is in: its topic.
    pub fn topic(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Whether a team wrote it: its file is on disk, while the embedded pages have a path below `explanations/`.
    pub fn is_of_team(&self) -> bool {
        self.path.is_absolute()
    }

    /// Whether it is a guide: a long text about several concepts, which it names in `see`.
    pub fn is_guide(&self) -> bool {
        self.topic() == "guides"
    }

    /// Whether a hover has something to tell of a use of `name` of which the facts for which `knows` holds are known.
    pub fn is_telling(&self, name: Option<&str>, knows: impl Fn(&str) -> bool) -> bool {
        let is_quiet = name.is_some_and(|name| self.quiet.iter().any(|quiet| quiet == name));
        match (self.quiet.is_empty(), self.telling.is_empty()) {
            (_, true) => !is_quiet,
            (false, false) if !is_quiet => true,
            (_, false) => self.telling.iter().any(|fact| knows(fact)),
        }
    }

    /// What goes with `name`: methods of the same object, and, with a dot, the callables that raise it.
    pub fn partners(&self, name: &str) -> &[String] {
        self.partners.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it is about a keyword or another form of syntax.
    pub fn is_about_syntax(&self) -> bool {
        self.keyword || !self.syntax.is_empty()
    }

    /// Whether the page's trigger is data; otherwise a detector yields its findings.
    pub fn is_data_only(&self) -> bool {
        !(self.symbols.is_empty() && self.methods.is_empty() && self.syntax.is_empty())
    }
}

fn joined(mut names: Vec<String>, more: Vec<String>) -> Vec<String> {
    let more: Vec<String> = more.into_iter().filter(|name| !names.contains(name)).collect();
    names.extend(more);
    names
}

/// `3.11` as `(3, 11)`.
pub(super) fn version_number(text: &str) -> Result<(u8, u8), String> {
    let parse = || {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    parse().ok_or_else(|| format!("`{text}` is no Python version; write it as \"3.11\""))
}
