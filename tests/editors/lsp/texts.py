"""Positions and edits, read by pygls and not by the server."""
import pygls.workspace.position_codec as codec
from lsprotocol import types as lsp

CODECS = {kind.value: codec.PositionCodec(kind) for kind in lsp.PositionEncodingKind}


def position(text, offset, encoding):
    """The position of an offset."""
    before = text[:offset]
    line = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1)
    at = CODECS[encoding].position_to_client_units(text.splitlines(True) + [""], codec.ServerTextPosition(line, column))
    return {"line": at.line, "character": at.character}


def range_of(text, part, encoding):
    start = text.index(part)
    return {"start": position(text, start, encoding), "end": position(text, start + len(part), encoding)}


def offset(text, position, encoding):
    """The offset of a position."""
    lines = text.splitlines(True) + [""]
    at = CODECS[encoding].position_from_client_units(lines, lsp.Position(position["line"], position["character"]))
    return sum(map(len, lines[:at.line])) + at.character


def part(text, range, encoding):
    """The text at a range."""
    return text[offset(text, range["start"], encoding):offset(text, range["end"], encoding)]


def edited(text, edits, encoding):
    """A text after edits."""
    places = [(offset(text, edit["range"]["start"], encoding), offset(text, edit["range"]["end"], encoding), edit["newText"]) for edit in edits]
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def by_file(edit):
    """The edits of a workspace edit, by address."""
    if "documentChanges" in edit:
        return {change["textDocument"]["uri"]: change["edits"] for change in edit["documentChanges"]}
    return edit["changes"]
