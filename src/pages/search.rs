//! Finds pages by id, by name and by words that are spelt roughly right.

use std::sync::Arc;

use super::{Page, Store};

/// The most pages that are listed.
const MOST: usize = 25;

/// The pages that `query` means, the best first: one, if it is an id, a topic's pages, or those all its words fit.
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
    let words: Vec<String> = split(query).collect();
    let scored = scored(store, |page| score(page, &words));
    if let [(0, best), ..] = scored.as_slice() {
        return vec![best.clone()];
    }
    if !scored.is_empty() {
        // What only resembles the words is shown where nothing has them.
        let worst = if scored[0].0 < FUZZY { FUZZY - 1 } else { u32::MAX };
        return scored.into_iter().filter(|(score, _)| *score <= worst).take(MOST).map(|(_, page)| page).collect();
    }
    // No title, name or summary has all the words: perhaps the text behind does.
    let in_text = self::scored(store, |page| text_score(page, &words));
    if !in_text.is_empty() {
        let worst = if in_text[0].0 < FUZZY { FUZZY - 1 } else { u32::MAX };
        return in_text.into_iter().filter(|(score, _)| *score <= worst).take(MOST).map(|(_, page)| page).collect();
    }
    // No page has all the words: those that have the most, if that is more than one.
    let has = |page: &Page| words.iter().filter(|word| score(page, std::slice::from_ref(word)).is_some()).count();
    let Some(most) = store.pages().map(|page| has(page)).max().filter(|most| *most > 1) else { return vec![] };
    let of_most = |page: &Page| (has(page) == most).then_some(0);
    self::scored(store, of_most).into_iter().take(MOST).map(|(_, page)| page).collect()
}

/// The pages that have a score, the lowest first.
fn scored(store: &Store, score: impl Fn(&Page) -> Option<u32>) -> Vec<(u32, Arc<Page>)> {
    let pages = store.pages().filter(|page| page.retired.is_none());
    let mut scored: Vec<_> = pages.filter_map(|page| Some((score(page)?, page.clone()))).collect();
    scored.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.id.cmp(&other.1.id)));
    scored
}

/// What a word costs that only resembles a word of the page.
const FUZZY: u32 = 100;

/// How far the page is from the words, 0 for all of its title; `None` if a word fits nothing.
fn score(page: &Page, words: &[String]) -> Option<u32> {
    if words.is_empty() {
        return None;
    }
    let title: Vec<String> = split(&page.title).collect();
    let id: Vec<String> = split(&page.id).collect();
    let names: Vec<String> = page.symbols.iter().chain(&page.methods).flat_map(|name| split(name)).collect();
    let prose: Vec<String> = page.summary.iter().filter_map(|line| line.fill(&|_| Some(String::new()))).collect();
    let prose: Vec<String> = prose.iter().flat_map(|line| split(line)).collect();
    let distance = |word: &String| {
        let near = |text: &[String], base: u32| {
            text.iter().filter_map(|candidate| Some(base + distance(word, candidate)?)).min()
        };
        let said = prose.contains(word).then_some(20);
        [near(&title, 1), near(&id, 2), near(&names, 3), said].into_iter().flatten().min()
    };
    let sum = words.iter().map(distance).sum::<Option<u32>>()?;
    Some(if words == title { 0 } else { sum })
}

/// As [`score`], over everything the page says.
fn text_score(page: &Page, words: &[String]) -> Option<u32> {
    if words.is_empty() {
        return None;
    }
    let each = page.each.values().filter_map(|line| line.fill(&|_| Some(String::new())));
    let sections = page.sections.iter().map(|(heading, text)| format!("{heading} {text}"));
    let mut all: Vec<String> = each.chain(sections).flat_map(|text| split(&text).collect::<Vec<_>>()).collect();
    let summary = page.summary.iter().filter_map(|line| line.fill(&|_| Some(String::new())));
    all.extend(summary.flat_map(|line| split(&line).collect::<Vec<_>>()));
    all.extend(split(&page.title).chain(split(&page.id)));
    all.sort();
    all.dedup();
    words.iter().map(|word| all.iter().filter_map(|candidate| distance(word, candidate)).min()).sum()
}

/// 0 for the same word, little for a beginning, more for a slip of the fingers; `None` for another word.
fn distance(word: &str, candidate: &str) -> Option<u32> {
    if word == candidate {
        return Some(0);
    }
    if word.chars().count() >= 3 && candidate.starts_with(word) {
        return Some(3);
    }
    let slips = strsim::damerau_levenshtein(word, candidate);
    (slips <= allowed_slips(word)).then_some(FUZZY)
}

fn allowed_slips(word: &str) -> usize {
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
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
