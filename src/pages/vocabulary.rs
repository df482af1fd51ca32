//! The words of a store, and what a word that stands in none of its pages was meant to be.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::search::singular;

/// Every word of the pages, with the number of pages that have it.
pub struct Vocabulary<'w>(BTreeMap<&'w str, usize>);

impl<'w> Vocabulary<'w> {
    /// The vocabulary of pages, each given as its words.
    pub fn of<Words: Iterator<Item = &'w str>>(pages: impl Iterator<Item = Words>) -> Self {
        let mut words: BTreeMap<&'w str, usize> = BTreeMap::new();
        for page in pages {
            let mut of_page: Vec<&str> = page.collect();
            of_page.sort_unstable();
            of_page.dedup();
            for word in of_page {
                *words.entry(word).or_default() += 1;
            }
        }
        Self(words)
    }

    /// The word that was meant by one that no page has, also as another form, or as the beginning or the end of a longer one: the nearest, at most one slip
    /// of the fingers away, two from six letters on; among the equally near, the one that more pages have.
    pub fn meant(&self, typed: &str) -> Option<&'w str> {
        let (stem, letters) = (singular(typed), typed.chars().count());
        let is_form = |word: &&str| {
            word.starts_with(stem)
                || letters > 4 && word.ends_with(stem)
                || word.len() > 3 && stem.len() < word.len() + 3 && stem.starts_with(word)
        };
        if letters < 4 || self.0.keys().any(is_form) {
            return None;
        }
        let most = if letters < 6 { 1 } else { 2 };
        let near = |word: &&'w str| word.len().abs_diff(typed.len()) <= most;
        let slips = self
            .0
            .iter()
            .filter(|(word, _)| near(word))
            .map(|(word, pages)| (strsim::damerau_levenshtein(typed, word), Reverse(*pages), *word));
        slips.min().and_then(|(slips, _, word)| (slips <= most).then_some(word))
    }
}
