"""A client that can be rude: it sends any bytes in any order. Whatever the server says is held against the protocol as it comes."""
import itertools
import json
import os
import queue
import subprocess
import threading

from protocol import CONVERTER, Conversation
from pytest_lsp import client_capabilities

SERVER = [os.environ["DUNDERSTAND"], "server"]
# Longer than any answer takes, on a slow machine, too.
PATIENCE = 120


class Refused(Exception):
    """An error for an answer."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]


def capabilities(encoding=None, editor="neovim@0.11"):
    able = CONVERTER.unstructure(client_capabilities(editor))
    if encoding:
        able.setdefault("general", {})["positionEncodings"] = [encoding]
    return able


class Raw:
    """A server and the conversation with it."""

    def __init__(self, **environment):
        outside = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
        self.process = subprocess.Popen(
            SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**outside, **environment})
        self.conversation = Conversation(lambda sender: sender == "server")
        self.incoming = queue.Queue()
        self.answers = {}
        self.nameless = []
        self.notifications = []
        self.ids = itertools.count(1)
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def _read(self):
        output = self.process.stdout
        while True:
            length = None
            while line := output.readline().strip():
                name, _, value = line.partition(b":")
                assert name.lower() == b"content-length", line
                length = int(value)
            if length is None:
                self.incoming.put(None)
                return
            self.incoming.put(json.loads(output.read(length)))

    # What is said.

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    @staticmethod
    def framed(body):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

    def send(self, message):
        self.conversation.see("client", message)
        self.write(self.framed(message))

    def message(self, method, params, id=None):
        message = {"jsonrpc": "2.0", "method": method}
        if id is not None:
            message["id"] = id
        if params is not None:
            message["params"] = params
        return message

    def notify(self, method, params=None):
        self.send(self.message(method, params))

    def ask(self, method, params=None, id=None):
        id = next(self.ids) if id is None else id
        self.send(self.message(method, params, id))
        return id

    # What is heard.

    def take(self):
        """One more message."""
        message = self.incoming.get(timeout=PATIENCE)
        assert message is not None, "the server is gone"
        self.conversation.see("server", message)
        if "method" not in message:
            if message.get("id") is None:
                self.nameless.append(message["error"])
            else:
                self.answers[message["id"]] = message
        elif "id" in message:
            items = (message.get("params") or {}).get("items", [])
            result = [{} for _ in items] if message["method"] == "workspace/configuration" else None
            self.conversation.see("client", {"jsonrpc": "2.0", "id": message["id"], "result": result})
            self.write(self.framed({"jsonrpc": "2.0", "id": message["id"], "result": result}))
        else:
            self.notifications.append(message)
        return message

    def wait(self, id):
        while id not in self.answers:
            self.take()
        answer = self.answers.pop(id)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def request(self, method, params=None):
        return self.wait(self.ask(method, params))

    def wait_for_nameless(self):
        """The code of the next error that belongs to no request."""
        while not self.nameless:
            self.take()
        return self.nameless.pop(0)["code"]

    def wait_for(self, method, wanted=lambda params: True):
        """The next notification of a method for which `wanted` holds."""
        while True:
            for index, message in enumerate(self.notifications):
                if message["method"] == method and wanted(message["params"]):
                    return self.notifications.pop(index)["params"]
            self.take()

    # From the first message to the last.

    def start(self, *folders, encoding=None, able=None):
        """The handshake; gives what the server can do."""
        answer = self.request("initialize", {
            "processId": None,
            "capabilities": capabilities(encoding) if able is None else able,
            "workspaceFolders": [{"uri": uri, "name": "folder"} for uri in folders] or None,
            "rootUri": None,
        })
        self.notify("initialized", {})
        return answer["capabilities"]

    def open(self, uri, text, version=1):
        self.notify("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": "python", "version": version, "text": text}})
        return {"uri": uri}

    def change(self, uri, version, *changes):
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)})

    def diagnostics(self, uri):
        while True:
            try:
                return self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"]
            except Refused as refused:
                # Something changed meanwhile: a client asks again.
                assert refused.code == -32802, refused

    def codes(self, uri):
        return sorted(item["code"] for item in self.diagnostics(uri))

    def hover(self, uri, line, character):
        return self.request("textDocument/hover", {
            "textDocument": {"uri": uri}, "position": {"line": line, "character": character}})

    def actions(self, uri, range, only=None):
        """The actions for a range, each with its edit."""
        context = {"diagnostics": [], **({"only": only} if only else {})}
        found = self.request("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": range, "context": context})
        return [action if "edit" in action or "disabled" in action else self.request("codeAction/resolve", action) for action in found]

    def stop(self):
        """Says goodbye; every request has been answered once."""
        assert self.request("shutdown") is None
        assert self.conversation.unanswered() == []
        self.notify("exit")
        while (message := self.incoming.get(timeout=PATIENCE)) is not None:
            self.conversation.see("server", message)
        return self.process.wait(PATIENCE)
