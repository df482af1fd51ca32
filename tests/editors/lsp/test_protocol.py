"""The checker finds what it is there to find."""
import pytest
from protocol import Conversation, Violation

RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
HOVER = {"contents": {"kind": "markdown", "value": "x"}, "range": RANGE}


def answer(method, result):
    conversation = Conversation()
    conversation.see("client", {"jsonrpc": "2.0", "id": 1, "method": method, "params": {
        "textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}})
    conversation.see("server", {"jsonrpc": "2.0", "id": 1, **result})


def publish(**diagnostic):
    Conversation().see("server", {"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": {
        "uri": "file:///a.py", "diagnostics": [diagnostic]}})


def test_what_is_right_passes():
    answer("textDocument/hover", {"result": HOVER})
    answer("textDocument/hover", {"result": None})
    answer("textDocument/hover", {"error": {"code": -32801, "message": "modified"}})
    publish(range=RANGE, message="m", severity=2, code="a/b", source="s", data={"x": [1]})


@pytest.mark.parametrize("result", [
    {"result": {"contents": {"kind": "markdown"}}},
    {"result": {"contents": "x", "colour": 1}},
    {"result": {"contents": {"kind": "html", "value": "x"}}},
    {"result": {"contents": "x", "range": {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 1}}}},
    {"result": {"contents": "x", "range": {"start": {"line": "1", "character": 0}, "end": {"line": 0, "character": 1}}}},
    {"result": {"contents": "x", "range": {"start": {"line": True, "character": 0}, "end": {"line": 1, "character": 1}}}},
    {"result": HOVER, "error": {"code": 1, "message": "m"}},
    {},
    {"error": {"code": "1", "message": "m"}},
])
def test_a_wrong_answer_is_found(result):
    with pytest.raises(Violation):
        answer("textDocument/hover", result)


@pytest.mark.parametrize("diagnostic", [
    {"range": RANGE},
    {"range": RANGE, "message": "m", "severity": 9},
    {"range": RANGE, "message": "m", "tags": [7]},
    {"range": RANGE, "message": "m", "relatedInformation": [{"message": "no place"}]},
    {"message": "m"},
])
def test_a_wrong_diagnostic_is_found(diagnostic):
    with pytest.raises(Violation):
        publish(**diagnostic)


def test_an_answer_nobody_asked_for_is_found():
    with pytest.raises(Violation):
        Conversation().see("server", {"jsonrpc": "2.0", "id": 7, "result": None})
    with pytest.raises(Violation):
        Conversation().see("server", {"jsonrpc": "2.0", "method": "textDocument/nonsense", "params": {}})
