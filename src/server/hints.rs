//! Inlay hints in the protocol's words. They have no kind, as they are neither types nor names of parameters, and no text
//! to insert.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::{
    self as lsp, InlayHintLabel, InlayHintLabelPart, InlayHintTooltip, MarkupContent, MarkupKind, Range, Uri,
};

use super::reading::Reading;
use super::{convert, links};
use crate::features::{self, InlayHint};
use crate::text::TextSize;

/// What a hint carries until it is resolved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Data {
    pub(super) uri: Uri,
    version: Option<i32>,
    concept: String,
    offset: u32,
}

/// The hints of the file at `path` in `range`.
pub(super) fn of(reading: &Reading, uri: &Uri, path: &Path, range: Range) -> Vec<lsp::InlayHint> {
    let Some(module) = reading.module(path) else { return vec![] };
    let found = features::inlay_hints(&reading.view(&module), reading.offsets(&module, range));
    let version = reading.version(path);
    let convert = |hint: InlayHint| lsp::InlayHint {
        position: reading.range(&module, crate::text::TextRange::empty(hint.offset)).start,
        label: match hint.leads_to.as_ref().and_then(|place| reading.location(place)) {
            None => InlayHintLabel::String(hint.label),
            Some(location) => InlayHintLabel::LabelParts(vec![InlayHintLabelPart {
                value: hint.label,
                location: Some(location),
                ..InlayHintLabelPart::default()
            }]),
        },
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: reading.setting.abilities.resolves_hint_tooltips.then(|| {
            let data = Data { uri: uri.clone(), version, concept: hint.concept, offset: hint.offset.to_u32() };
            serde_json::to_value(data).unwrap_or_default()
        }),
    };
    found.into_iter().map(convert).collect()
}

/// The explanation behind a hint; none if the text has changed since.
pub(super) fn tooltip(reading: &Reading, data: &Data) -> Option<InlayHintTooltip> {
    let path = convert::to_path(&data.uri);
    let module = reading.module(&path).filter(|_| reading.version(&path) == data.version)?;
    let markdown = features::hint_tooltip(&reading.view(&module), &data.concept, TextSize::new(data.offset))?;
    Some(match reading.setting.abilities.hover_markdown {
        true => InlayHintTooltip::MarkupContent(MarkupContent {
            kind: MarkupKind::Markdown,
            value: links::in_hover(reading, markdown, &data.uri, None),
        }),
        false => InlayHintTooltip::String(convert::plain_text(&markdown)),
    })
}
