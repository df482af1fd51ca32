//! Facts that the target Python decides: each interpreter is asked for what the page says of it.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::interpreters::INTERPRETERS;
use crate::project::{SHARED, write};

/// A page, a fact of its `[versions]`, and a program that prints what is true: the fact's text, or nothing where it is missing.
const FACTS: &[(&str, &str, &str)] = &[
    ("memory/gc-thresholds", "threshold", "import gc\nprint(gc.get_threshold())\n"),
    ("processes/start-method", "linux_default", "import multiprocessing as m\nprint(m.get_start_method())\n"),
    (
        "threads/thread-pool-executor",
        "default_workers",
        "import concurrent.futures.thread as t, inspect\n\
         source = inspect.getsource(t.ThreadPoolExecutor.__init__)\n\
         print('min(32, os.process_cpu_count() + 4)' if 'process_cpu_count' in source else 'min(32, os.cpu_count() + 4)')\n",
    ),
    (
        "asyncio/wait-for",
        "error",
        "import asyncio\nprint('TimeoutError' if asyncio.TimeoutError is TimeoutError else 'asyncio.TimeoutError')\n",
    ),
    ("metaclasses/callable-filter", "static_passes", "print('staticmethod' if callable(staticmethod(len)) else '')\n"),
];

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
    // Some differ only from an interpreter on that need not be at hand.
    if INTERPRETERS.len() > 4 && differing < FACTS.len() / 2 {
        problems.push(format!("only {differing} facts differ between the interpreters at hand"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}
