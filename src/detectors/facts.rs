//! Facts: the named pieces of the user's code that a page's sentences are filled with.

use std::collections::BTreeMap;

use crate::text::Place;

/// The most items of a list that are named.
const LIST: usize = 4;
/// The longest piece of source that is shown, in characters.
const CODE: usize = 60;

/// One piece of the user's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Source or a name; shown bare, on one line, shortened.
    Code(String),
    /// Names, each shown in backticks, separated by commas.
    List(Vec<String>),
    /// A place, shown as `line 12`, or `models.py line 12` from another file.
    Place(Place),
    /// Several places, separated by commas.
    Places(Vec<Place>),
    /// One fact for each of several things. A line of a page that uses such a fact is repeated, once for each.
    Each(Vec<Fact>),
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Code(text.to_string())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Code(text)
    }
}

impl From<usize> for Fact {
    fn from(number: usize) -> Self {
        Self::Code(number.to_string())
    }
}

impl From<Vec<String>> for Fact {
    fn from(items: Vec<String>) -> Self {
        Self::List(items)
    }
}

impl From<Vec<Place>> for Fact {
    fn from(places: Vec<Place>) -> Self {
        Self::Places(places)
    }
}

impl From<Place> for Fact {
    fn from(place: Place) -> Self {
        Self::Place(place)
    }
}

/// The facts of one finding, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<&'static str, Fact>);

impl Facts {
    /// Sets a fact; `None`, an empty text and an empty list leave it missing.
    pub fn set(&mut self, name: &'static str, fact: Option<Fact>) {
        match fact {
            None => {}
            Some(Fact::Code(text)) if text.is_empty() => {}
            Some(Fact::List(items)) if items.is_empty() => {}
            Some(Fact::Places(places)) if places.is_empty() => {}
            Some(Fact::Each(facts)) if facts.is_empty() => {}
            Some(fact) => {
                self.0.insert(name, fact);
            }
        }
    }

    /// The fact with this name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.0.iter().map(|(name, fact)| (*name, fact))
    }
}

impl Fact {
    /// The fact about the thing with this number; one that is not about several things holds for all of them.
    pub fn about(&self, number: usize) -> Option<&Fact> {
        match self {
            Self::Each(facts) => facts.get(number),
            other => Some(other),
        }
    }

    /// The fact as it stands in a sentence about the file at `here`.
    pub fn show(&self, here: Option<&std::path::Path>) -> String {
        match self {
            Self::Code(text) => one_line(text),
            Self::List(items) => list(items),
            Self::Place(place) => show_place(place, here),
            Self::Places(places) => show_places(places, here),
            Self::Each(facts) => facts.iter().map(|fact| fact.show(here)).collect::<Vec<_>>().join(", "),
        }
    }
}

fn show_place(place: &Place, here: Option<&std::path::Path>) -> String {
    match place.path.file_name() {
        Some(name) if here != Some(place.path.as_path()) => format!("{} line {}", name.to_string_lossy(), place.line),
        _ => format!("line {}", place.line),
    }
}

/// `lines 3 and 7`; with the files' names where one is in another file.
fn show_places(places: &[Place], here: Option<&std::path::Path>) -> String {
    let is_here = |place: &Place| here == Some(place.path.as_path());
    let shown: Vec<_> = match places.iter().all(is_here) && places.len() > 1 {
        true => places.iter().take(LIST).map(|place| place.line.to_string()).collect(),
        false => places.iter().take(LIST).map(|place| show_place(place, here)).collect(),
    };
    let word = if places.iter().all(is_here) && places.len() > 1 { "lines " } else { "" };
    match (shown.as_slice(), places.len().saturating_sub(LIST)) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{word}{} and {last}", first.join(", ")),
        (all, 0) => format!("{word}{}", all.join(", ")),
        (all, more) => format!("{word}{} and {more} more", all.join(", ")),
    }
}

fn list(items: &[String]) -> String {
    let shown: Vec<_> = items.iter().take(LIST).map(|item| format!("`{}`", one_line(item))).collect();
    match items.len().saturating_sub(LIST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Source on one line, shortened, without backticks, so that it can stand in a code span.
pub fn one_line(code: &str) -> String {
    let line = code.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "'");
    if line.chars().count() <= CODE {
        return line;
    }
    let cut: String = line.chars().take(CODE - 1).collect();
    format!("{}…", cut.trim_end())
}
