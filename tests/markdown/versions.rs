//! Facts that the target Python decides: each interpreter is asked for what the page says of it.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::interpreters::INTERPRETERS;
use crate::project::{SHARED, write};
use crate::version_programs::{FACTS, SENTENCES};

/// The minor version of the oldest Python.
const OLDEST: u8 = 9;

/// Each fact is what each interpreter prints, and most differ between those at hand.
pub fn facts() -> Outcome {
    let mut problems = vec![];
    let mut differing = 0;
    for (index, (id, fact, program)) in FACTS.iter().enumerate() {
        let page = SHARED.store.page(id).ok_or_else(|| format!("there is no page `{id}`"))?;
        let path = SHARED.root().join(format!("versions/fact{index}.py"));
        write(&path, program);
        let mut said = BTreeSet::new();
        for interpreter in INTERPRETERS.iter() {
            let mut facts = page.version_facts(interpreter.version);
            let expected = facts.find(|(name, _)| name == fact).map_or("", |(_, text)| text).to_string();
            // Between two patch releases the page says nothing.
            let is_silent = *fact == "threshold" && expected.is_empty();
            let run = interpreter.run(&path);
            let printed = run.stdout.first().cloned().unwrap_or_default();
            if !is_silent && printed != expected {
                problems
                    .push(format!("{id}: `{fact}` is {expected:?} for {}, which says {printed:?}", interpreter.exact));
            }
            said.insert(expected);
        }
        differing += usize::from(said.len() > 1);
    }
    for (index, (id, fact, program)) in SENTENCES.iter().enumerate() {
        let page = SHARED.store.page(id).ok_or_else(|| format!("there is no page `{id}`"))?;
        let path = SHARED.root().join(format!("versions/sentence{index}.py"));
        write(&path, program);
        let text =
            |minor: u8| page.version_facts((3, minor)).find(|(name, _)| name == fact).map(|(_, text)| text.to_string());
        for interpreter in INTERPRETERS.iter() {
            let changes = (OLDEST + 1..=interpreter.version.1).filter(|minor| text(*minor) != text(*minor - 1)).count();
            let expected = format!("#{}", changes + 1);
            let run = interpreter.run(&path);
            let printed = run.stdout.first().cloned().unwrap_or_default();
            if printed != expected {
                problems
                    .push(format!("{id}: `{fact}` is {expected} for {}, which says {printed:?}", interpreter.exact));
            }
        }
    }
    // Some differ only from an interpreter on that need not be at hand.
    if INTERPRETERS.len() > 4 && differing < FACTS.len() / 2 {
        problems.push(format!("only {differing} facts differ between the interpreters at hand"));
    }
    let tried = |id: &str| FACTS.iter().chain(SENTENCES).any(|(tried, ..)| *tried == id);
    for page in SHARED.store.pages().filter(|page| page.version_facts((3, OLDEST)).next().is_some()) {
        if !tried(&page.id) {
            problems.push(format!("{}: no program tries what its `[versions]` say", page.id));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}
