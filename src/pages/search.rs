//! Finds pages by id, by name and by words that are spelt roughly right.

use std::sync::Arc;

use super::vocabulary::Vocabulary;
use super::{Page, Store};

/// The most pages that are listed.
const MOST: usize = 25;

/// The pages that `query` means, the best first: one, if it is an id, a topic's pages, or those all its words fit. What only
/// resembles the words, or stands far down in a text, is shown where nothing is much nearer.
pub fn search(store: &Store, query: &str) -> Vec<Arc<Page>> {
    let exact = query.trim_end_matches(".md").trim_matches('/');
    if let Some(page) = store.page(exact).or_else(|| store.page(&exact.replace('.', "/"))) {
        return vec![page.clone()];
    }
    let pages = || store.pages().filter(|page| page.retired.is_none());
    let of_topic: Vec<Arc<Page>> = pages().filter(|page| page.topic() == exact).cloned().collect();
    if !of_topic.is_empty() {
        return of_topic;
    }
    let names = |page: &Page| page.symbols.iter().chain(&page.methods).any(|name| name == exact);
    let of_name: Vec<Arc<Page>> = pages().filter(|page| names(page)).cloned().collect();
    if !of_name.is_empty() {
        return of_name;
    }
    let last = |page: &&Arc<Page>| page.id.rsplit('/').next() == Some(exact);
    let of_last: Vec<Arc<Page>> = pages().filter(last).cloned().collect();
    if !of_last.is_empty() {
        return of_last;
    }
    let pages: Vec<(&Arc<Page>, Fields)> = pages().map(|page| (page, Fields::of(page))).collect();
    let vocabulary = Vocabulary::of(pages.iter().map(|(_, fields)| fields.words()));
    let meant = |word: String| vocabulary.meant(&word).map_or(word, str::to_owned);
    let words: Vec<String> = telling(split(query).map(meant).collect());
    let mut scored: Vec<(u32, Arc<Page>)> =
        pages.iter().filter_map(|(page, fields)| Some((fields.score(&words)?, Arc::clone(page)))).collect();
    scored.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.id.cmp(&other.1.id)));
    let Some((best, page)) = scored.first() else { return vec![] };
    if *best == 0 && words == telling(split(&page.title).collect()) {
        return vec![page.clone()];
    }
    let worst = best + MARGIN;
    scored.into_iter().take_while(|(score, _)| *score <= worst).take(MOST).map(|(_, page)| page).collect()
}

/// How much farther than the best a page may be.
const MARGIN: u32 = 12;
/// What a slip of the fingers costs; the second one in a word costs more.
const SLIP: u32 = 25;
const SECOND_SLIP: u32 = 40;
/// What it costs that two words are written as one in the page.
const JOINED: u32 = 5;
/// What it costs that a word is only the end of a longer one, as `malloc` is of `tracemalloc`.
const ENDING: u32 = 20;
/// What it costs that a word is nowhere in the page: more than two slips near by, or one far down.
const MISSING: u32 = 90;

/// The words of a query without those that ask and join, where others are left.
fn telling(words: Vec<String>) -> Vec<String> {
    const ASKING: &[&str] = &[
        "a", "an", "and", "are", "be", "been", "by", "can", "could", "did", "do", "does", "has", "have", "how", "i",
        "is", "it", "its", "my", "of", "on", "or", "our", "should", "that", "the", "their", "these", "this", "to",
        "was", "were", "what", "when", "which", "who", "why", "will", "you", "your",
    ];
    let left: Vec<String> = words.iter().filter(|word| !ASKING.contains(&word.as_str())).cloned().collect();
    if left.len() > 1 { left } else { words }
}

/// The words of a page.
struct Fields {
    /// By what it costs that a word is only found there.
    words: Vec<(u32, Vec<String>)>,
    /// The words of each of the page's terms.
    terms: Vec<Vec<String>>,
}

impl Fields {
    fn of(page: &Page) -> Self {
        let terms: Vec<Vec<String>> = page.terms.iter().map(|term| telling(split(term).collect())).collect();
        let names = page.symbols.iter().chain(&page.methods).chain(page.each.keys());
        let filled = |line: &super::Template| line.fill(&|_| Some(String::new()));
        let said = page.summary.iter().filter_map(filled);
        let each = page.each.values().filter_map(filled);
        let sections = page.sections.iter().map(|(heading, text)| format!("{heading} {text}"));
        let words = |texts: Vec<String>| {
            let mut words: Vec<String> = texts.iter().flat_map(|text| split(text)).collect();
            words.sort();
            words.dedup();
            words
        };
        let fields = vec![
            (0, telling(split(&page.title).collect())),
            (2, terms.iter().flatten().cloned().collect()),
            (4, split(&page.id).chain(page.id.rsplit('/').next().map(|name| name.replace('-', "_"))).collect()),
            (6, words(names.cloned().collect())),
            (15, words(said.collect())),
            (35, words(each.chain(sections).collect())),
        ];
        Self { words: fields, terms }
    }

    /// How far the page is from the words, 0 for all of its title; `None` if a word fits nothing.
    fn score(&self, words: &[String]) -> Option<u32> {
        if words.is_empty() {
            return None;
        }
        let apart = self.sum(words);
        let joined = (1..words.len()).filter_map(|at| {
            let (before, rest) = words.split_at(at);
            let (last, before) = before.split_last()?;
            let (first, behind) = rest.split_first()?;
            let words: Vec<String> =
                before.iter().cloned().chain([format!("{last}{first}")]).chain(behind.to_vec()).collect();
            Some(self.sum(&words)? + JOINED)
        });
        apart.into_iter().chain(joined).chain(self.quoted(words)).min()
    }

    /// The distance of words among which stand all of a term, in its order, as those of a message do between the names of a program.
    fn quoted(&self, words: &[String]) -> Option<u32> {
        let stands = |term: &&Vec<String>| {
            let mut rest = words.iter();
            term.len() > 2 && term.iter().all(|word| rest.any(|other| singular(other) == singular(word)))
        };
        let longest = self.terms.iter().filter(stands).map(Vec::len).max()?;
        Some(u32::try_from(words.len() - longest).unwrap_or_default().min(SLIP) / 2)
    }

    /// Every word of the page.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().flat_map(|(_, words)| words).map(String::as_str)
    }

    /// The distances of the words, and the title's words that none of them is about. Of two or three words one may be missing,
    /// of more a half.
    fn sum(&self, words: &[String]) -> Option<u32> {
        let near = |(base, field): &(u32, Vec<String>), word: &str| {
            field.iter().filter_map(|candidate| Some(base + distance(word, candidate)?)).min()
        };
        let one = |word: &String| self.words.iter().filter_map(|field| near(field, word)).min();
        let found: Vec<u32> = words.iter().filter_map(one).collect();
        let missing = words.len() - found.len();
        if found.is_empty() || missing > words.len() / 2 {
            return None;
        }
        let sum = found.iter().sum::<u32>() + MISSING * u32::try_from(missing).unwrap_or_default();
        let title = self.words.first().map_or(0, |(_, title)| title.len());
        Some(sum + u32::try_from(title.saturating_sub(words.len())).unwrap_or_default())
    }
}

/// 0 for the same word, little for another form or a beginning of it, more for slips of the fingers; `None` for another word.
fn distance(word: &str, candidate: &str) -> Option<u32> {
    if word == candidate {
        return Some(0);
    }
    let (stem, other) = (singular(word), singular(candidate));
    if stem == other {
        return Some(1);
    }
    let (typed, length) = (stem.chars().count(), other.chars().count());
    if typed >= 3 && other.starts_with(stem) {
        return Some(u32::try_from(3 * (length - typed)).map_or(SLIP, |cost| cost.min(SLIP)));
    }
    if length >= 4 && (1..3).contains(&typed.saturating_sub(length)) && stem.starts_with(other) {
        return Some(3);
    }
    if typed >= 5 && length > typed + 2 {
        return ending(stem, other, length - typed);
    }
    if typed < 3 || length < 3 || typed.abs_diff(length) > 2 {
        return None;
    }
    let slips = strsim::damerau_levenshtein(stem, other);
    match (slips, typed) {
        // Of three letters, one may be missing; another one makes another word.
        (1, 3) => (length == 4).then_some(SLIP),
        (1, _) => Some(SLIP),
        (2, 6..) => Some(SLIP + SECOND_SLIP),
        _ => None,
    }
}

/// The distance to the end of a longer word, with at most one slip.
fn ending(word: &str, candidate: &str, longer_by: usize) -> Option<u32> {
    let ends = [longer_by, longer_by - 1, longer_by + 1].into_iter().filter_map(|skipped| candidate.get(skipped..));
    match ends.map(|end| strsim::damerau_levenshtein(word, end)).min()? {
        0 => Some(ENDING),
        1 => Some(ENDING + SLIP),
        _ => None,
    }
}

/// A word without the ending of a plural.
pub fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem,
        _ => word,
    }
}

/// The words of a text, in lower case.
fn split(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The name nearest to `typed`, if one is near enough to be meant.
pub fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&typed.to_lowercase(), &name.to_lowercase());
    let (distance, name) = names.map(|name| (distance(name), name)).min()?;
    (distance <= (typed.chars().count() / 4).max(1)).then_some(name)
}
