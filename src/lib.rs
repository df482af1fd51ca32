//! dunderstand says what Python code does at run time. This page is the map.
//!
//! # Layers
//!
//! Each module may use those before it, never one behind it; `tests/tidy.rs` reads the `use` lines to hold that.
//!
//! ```text
//! text <- analysis <- detectors <- rewrites <- features <- settings <- server, cli
//! pages (knows no Python, names no other module) <- detectors, features
//! ```
//!
//! # Six words
//!
//! - **concept**: an idea with an id, `asyncio/blocking-call`.
//! - **page**: its Markdown file, `explanations/asyncio/blocking-call.md`. All prose is there.
//! - **fact**: a named piece of the user's code that a page's sentence is filled with.
//! - **finding**: this concept is at work in this range, with these facts.
//! - **detector**: code or data that yields findings. It writes no prose and knows no view.
//! - **rewrite**: an edit offered on a finding, or refused with a reason.
//!
//! Hover, inlay hints, diagnostics and code actions are filters over one list of findings, joined to the pages.
//!
//! # What is absent, and stays so
//!
//! - Nothing below `server` and `cli` does I/O, but `analysis::database` and `settings`; user code is never run.
//! - Nothing below them fails on broken code: it says less. Detectors return `Option`.
//! - No type below them is part of a wire format. No `match` on a concept's id outside its detector.
//! - No clock, no randomness, no network. No value of the engine is visible outside `analysis`.
//!
//! # To add a concept
//!
//! | it is | files |
//! | --- | --- |
//! | recognised by a name, a method or a form of syntax | its page (see `explanations/README.md`) |
//! | needs judgement | + `src/detectors/<name>.rs`, a line in `src/detectors.rs` and one in its `all.rs` |
//! | offers a rewrite | + `src/rewrites/<name>.rs`, two lines in `src/rewrites.rs` |

pub mod text;

pub mod analysis;

pub mod pages;

pub mod detectors;

pub mod rewrites;

pub mod features;

pub mod settings;

pub mod server;

pub mod cli;
