//! The views: hover, inlay hints, diagnostics and code actions are filters over one list of findings, joined to
//! the pages. Plain data in, plain data out; offsets, not positions; no concept is named here.

mod async_steps;
mod card;
mod code_actions;
mod diagnostics;
mod fix_all;
mod handbook;
mod hover;
mod inlay_hints;
mod keyword;
mod options;
mod suppression;

pub use async_steps::async_steps;
pub use card::Card;
pub use code_actions::{CodeAction, QUICK_FIX, code_actions};
pub use diagnostics::{Diagnostic, Related, Tag, diagnostics};
pub use fix_all::fix_all;
pub use handbook::{handbook_page, handbook_page_here};
pub use hover::{Hover, hover};
pub use inlay_hints::{InlayHint, hint_tooltip, inlay_hints};
pub use options::{Options, Verbosity};
pub use suppression::UNUSED as UNUSED_SUPPRESSION;

use crate::analysis::Module;
use crate::pages::Store;

/// What a view looks at.
#[derive(Clone, Copy)]
pub struct View<'a, 's> {
    pub module: &'a Module<'s>,
    pub store: &'a Store,
    pub options: &'a Options,
}
