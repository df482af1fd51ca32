"""Clients that are broken, hasty or late: each request gets one answer, and the server lives on."""
import json
import random

import pytest
from raw import Raw, Refused

BLOCKING = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
ERRORS = {
    "parse": -32700, "request": -32600, "method": -32601, "params": -32602, "not initialized": -32002, "cancelled": -32800,
    "modified": -32801, "server cancelled": -32802,
}


@pytest.fixture
def server(tmp_path):
    with Raw() as raw:
        raw.folder = tmp_path
        raw.start(tmp_path.as_uri())
        yield raw
        raw.document = (tmp_path / "alive.py").as_uri()
        raw.open(raw.document, BLOCKING)
        assert raw.codes(raw.document) == ["asyncio/blocking-call"]
        assert raw.stop() == 0


@pytest.mark.parametrize("body, error", [
    (b"{", "parse"),
    (b"", "parse"),
    (b"\xff\xfe{}", "parse"),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {"x": 1}', "parse"),
    (b"[]", "request"),
    (b"3", "request"),
    (b"null", "request"),
    (b'"textDocument/hover"', "request"),
    (b'{"jsonrpc": "2.0", "method": 7}', "request"),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]', "request"),
    (b'{"id": {"a": 1}, "method": "shutdown", "jsonrpc": "2.0"}', "request"),
])
def test_a_body_that_is_no_message(server, body, error):
    server.write(server.framed(body))
    assert server.wait_for_nameless() == ERRORS[error]


@pytest.mark.parametrize("head", [
    b"Content-Length: -5\r\n\r\n", b"Content-Length: 1e3\r\n\r\n", b"Content-Length:\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"Content-Length: 340282366920938463463374607431768211456\r\n\r\n", b"\x00\x01\x02\r\n\r\n",
])
def test_a_header_that_is_none(server, head):
    server.write(head)
    assert server.wait_for_nameless() == ERRORS["parse"]


def test_headers_and_pieces_of_all_kinds(server):
    body = json.dumps(server.message("workspace/executeCommand", {"command": "dunderstand.explain", "arguments": [{"id": "asyncio/await"}]}, 70)).encode()
    heads = [b"content-length: %d\r\n\r\n", b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
             b"CONTENT-LENGTH:%d\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n", b"Content-Length:    %d   \r\n\r\n"]
    for head in heads:
        server.conversation.see("client", json.loads(body))
        server.write(head % len(body) + body)
        assert server.wait(70)["id"] == "asyncio/await"
    # Byte by byte, and several in one piece.
    server.conversation.see("client", json.loads(body))
    for byte in server.framed(body):
        server.write(bytes([byte]))
    assert server.wait(70)["id"] == "asyncio/await"
    messages = [server.message("textDocument/hover", {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}, id) for id in range(100, 150)]
    for message in messages:
        server.conversation.see("client", message)
    server.write(b"".join(map(server.framed, messages)))
    assert [server.wait(message["id"]) for message in messages] == [None] * 50


def test_ids_are_given_back_as_they_came(server):
    for id in ["a", "", "7", "ü😀", 2**31 - 1, -1, 0]:
        server.ask("textDocument/hover", {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}, id)
        assert server.wait(id) is None


METHODS = [
    "initialize", "textDocument/hover", "textDocument/inlayHint", "inlayHint/resolve", "textDocument/diagnostic", "textDocument/codeAction", "codeAction/resolve",
    "workspace/executeCommand",
]
NONSENSE = [
    None, [], {}, [1, 2], {"textDocument": None}, {"textDocument": {}}, {"textDocument": {"uri": 3}}, {"textDocument": {"uri": ""}},
    {"textDocument": {"uri": "no uri at all"}, "position": {"line": 0, "character": 0}, "range": None, "context": {}},
    {"textDocument": {"uri": "file:///a.py"}, "position": {"line": -1, "character": 0}},
    {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 2**40, "character": 0}},
    {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 1.5, "character": 0}},
    {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 2**32 - 1, "character": 2**32 - 1}},
    {"textDocument": {"uri": "file:///a.py"}, "range": {"start": {"line": 9, "character": 9}, "end": {"line": 1, "character": 1}}, "context": {"diagnostics": []}},
    {"command": 3}, {"command": ""}, {"command": "dunderstand.explain", "arguments": {}}, {"command": "dunderstand.explain", "arguments": [3]},
    {"command": "dunderstand.concepts", "arguments": ["a", "b"]}, {"command": "dunderstand.asyncSteps"}, {"command": "dunderstand.asyncSteps", "arguments": [{}]},
    {"title": "x", "data": {"uri": "file:///a.py"}}, {"title": "x", "data": 3}, {"position": {"line": 0, "character": 0}, "label": "x", "data": []},
]


def test_params_of_every_shape_are_answered(server):
    wrong = 0
    for method in METHODS:
        for params in NONSENSE:
            # They are meant to be wrong: only what the server says is checked.
            id = server.ask(method, params)
            try:
                server.wait(id)
            except Refused as refused:
                wrong += 1
                assert refused.code in {ERRORS["params"], ERRORS["request"], ERRORS["modified"]}, (method, params, refused)
    assert wrong > len(METHODS) * len(NONSENSE) // 2
    for params in NONSENSE:
        for method in ["initialized", "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose", "$/cancelRequest",
                       "workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration", "workspace/didChangeWorkspaceFolders", "$/setTrace"]:
            if (method, params) != ("initialized", {}):
                server.notify(method, params)


def test_answers_to_nothing_that_was_asked(server):
    for message in [{"id": 12345, "result": 3}, {"id": "x", "error": {"code": 1, "message": "m"}}, {"id": None, "error": {"code": 1, "message": "m"}}]:
        server.write(server.framed({"jsonrpc": "2.0", **message}))


def test_what_is_not_offered_is_no_method(server):
    for method in ["textDocument/completion", "textDocument/definition", "textDocument/documentSymbol", "no/such", "", "$/no"]:
        with pytest.raises(Refused) as refused:
            server.request(method, {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}})
        assert refused.value.code == ERRORS["method"], method
    server.notify("no/such", {})
    server.notify("$/no", {})


def test_a_storm_of_cancellations(server):
    uri = (server.folder / "a.py").as_uri()
    server.open(uri, BLOCKING * 4)
    place = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 10}}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 8, "character": 0}}
    questions = [("textDocument/hover", place), ("textDocument/diagnostic", {"textDocument": {"uri": uri}}), ("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole}),
                 ("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": whole, "context": {"diagnostics": []}}),
                 ("workspace/executeCommand", {"command": "dunderstand.concepts", "arguments": [{"uri": uri}]})]
    numbers = random.Random(3)
    asked = []
    for _ in range(300):
        asked.append(server.ask(*numbers.choice(questions)))
        server.notify("$/cancelRequest", {"id": numbers.choice(asked)})
        if numbers.random() < 0.5:
            server.notify("$/cancelRequest", {"id": asked[-1]})
        if numbers.random() < 0.1:
            server.notify("$/cancelRequest", {"id": numbers.choice(["never", -5, 10**6])})
    cancelled = 0
    for id in asked:
        try:
            server.wait(id)
        except Refused as refused:
            assert refused.code == ERRORS["cancelled"], refused
            cancelled += 1
    assert cancelled > 20
    # Once more, after the answers.
    for id in asked:
        server.notify("$/cancelRequest", {"id": id})


def test_texts_that_are_opened_closed_and_changed_in_any_order(server):
    uri = (server.folder / "a.py").as_uri()
    other = (server.folder / "b.py").as_uri()
    hazard = ["asyncio/blocking-call"]
    server.change(uri, 5, {"text": BLOCKING})
    server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    server.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert server.codes(uri) == []
    server.open(uri, "x = 1\n", version=9)
    server.change(uri, 3, {"text": BLOCKING})
    assert server.codes(uri) == hazard, "what arrives last counts, whatever its version"
    server.open(uri, "x = 2\n")
    assert server.codes(uri) == [], "opened again: the new text"
    server.change(uri, 1, {"text": BLOCKING})
    server.change(uri, 1)
    assert server.codes(uri) == hazard
    server.open(other, BLOCKING)
    for _ in range(2):
        server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert server.codes(uri) == [] and server.codes(other) == hazard
    server.change(uri, 2, {"text": BLOCKING})
    assert server.codes(uri) == []


def test_changes_outside_of_the_text(server):
    uri = (server.folder / "a.py").as_uri()
    server.open(uri, BLOCKING)

    def replace(start, end, text):
        server.change(uri, 2, {"range": {"start": dict(zip(("line", "character"), start)), "end": dict(zip(("line", "character"), end))}, "text": text})

    replace((1000, 5), (2000, 7), "# end\n")
    replace((4, 1000), (4, 2000), "  # a comment")
    replace((4, 3), (4, 1), "")
    assert server.codes(uri) == ["asyncio/blocking-call"]
    # Reversed: nothing is replaced, the text is put in.
    replace((0, 0), (0, 0), "x = 1\n")
    replace((2**32 - 1, 2**32 - 1), (2**32 - 1, 2**32 - 1), BLOCKING.replace("f()", "g()").replace("import time", ""))
    assert len(server.codes(uri)) == 2
    replace((0, 0), (2**32 - 1, 0), "")
    assert server.codes(uri) == []


REQUESTS = [
    ("textDocument/hover", {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}),
    ("textDocument/inlayHint", {"textDocument": {"uri": "file:///a.py"}, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}}),
    ("textDocument/diagnostic", {"textDocument": {"uri": "file:///a.py"}}),
    ("workspace/executeCommand", {"command": "dunderstand.concepts"}),
    ("shutdown", None),
]


def test_before_initialize_and_after_shutdown(tmp_path):
    uri = (tmp_path / "a.py").as_uri()
    with Raw() as raw:
        for method, params in REQUESTS:
            with pytest.raises(Refused) as refused:
                raw.request(method, params)
            assert refused.value.code == ERRORS["not initialized"], method
        raw.open(uri, BLOCKING)
        raw.notify("$/cancelRequest", {"id": 1})
        raw.notify("initialized", {})
        raw.start(tmp_path.as_uri())
        assert raw.codes(uri) == [], "what came before does not count"
        with pytest.raises(Refused) as refused:
            raw.request("initialize", {"capabilities": {}, "processId": None, "rootUri": None})
        assert refused.value.code == ERRORS["request"]
        raw.notify("initialized", {})
        raw.open(uri, BLOCKING)
        assert raw.codes(uri) == ["asyncio/blocking-call"]
        raw.request("shutdown")
        for method, params in REQUESTS:
            with pytest.raises(Refused) as refused:
                raw.request(method, params)
            assert refused.value.code == ERRORS["request"], method
        raw.change(uri, 2, {"text": "x = 1\n"})
        raw.notify("exit")
        assert raw.process.wait(60) == 0


def test_requests_before_the_handshake_is_over_are_answered(tmp_path):
    """Some clients ask at once after `initialize`, without waiting for the answer."""
    uri = (tmp_path / "a.py").as_uri()
    with Raw() as raw:
        begun = raw.ask("initialize", {"processId": None, "capabilities": {}, "rootUri": tmp_path.as_uri()})
        raw.notify("initialized", {})
        raw.open(uri, BLOCKING)
        asked = raw.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 10}})
        raw.wait(begun)
        assert "time.sleep" in raw.wait(asked)["contents"]["value"]
        assert raw.stop() == 0


@pytest.mark.parametrize("able", [{}, {"textDocument": {}, "workspace": {}, "window": {}, "general": {}}, {"general": {"positionEncodings": []}},
                                  {"textDocument": {"hover": {}, "codeAction": {}, "inlayHint": {}, "publishDiagnostics": {}}, "experimental": {"x": 1}}])
def test_a_client_that_can_do_nothing(tmp_path, able):
    uri = (tmp_path / "a.py").as_uri()
    with Raw() as raw:
        assert raw.start(tmp_path.as_uri(), able=able).get("positionEncoding", "utf-16") == "utf-16"
        raw.open(uri, BLOCKING)
        assert raw.wait_for("textDocument/publishDiagnostics", lambda params: params["uri"] == uri)["diagnostics"][0]["code"] == "asyncio/blocking-call"
        hover = raw.hover(uri, 4, 10)["contents"]
        assert hover["kind"] == "plaintext" and "`" not in hover["value"]
        assert not [message for message in raw.notifications if message["method"].startswith("$/progress")]
        assert raw.stop() == 0


def test_the_input_ends_in_the_middle_of_a_message(tmp_path):
    with Raw() as raw:
        raw.start(tmp_path.as_uri())
        raw.write(b"Content-Length: 100\r\n\r\n{\"jsonrpc\"")
        raw.process.stdin.close()
        assert raw.process.wait(60) == 1
