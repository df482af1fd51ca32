"""A language server on a pipe, for measuring: requests, notifications, answers to what the server asks."""

import json
import os
import pathlib
import queue
import subprocess
import threading
import time

CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"configuration": True, "inlayHint": {"refreshSupport": True}, "diagnostics": {"refreshSupport": True}},
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "inlayHint": {"dynamicRegistration": False},
        "diagnostic": {"dynamicRegistration": True},
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "synchronization": {"didSave": True},
    },
    "window": {"workDoneProgress": True},
}


class Server:
    """One server process with one open document."""

    def __init__(self, command, root):
        self.root = pathlib.Path(root)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
        )
        self.answers = {}
        self.arrived = threading.Condition()
        self.published = queue.Queue()
        self.pulls = False
        self.hints = False
        self.next_id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def initialize(self):
        answer = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.root.as_uri(),
                "workspaceFolders": [{"uri": self.root.as_uri(), "name": self.root.name}],
                "capabilities": CAPABILITIES,
            },
        )
        self.pulls = "diagnosticProvider" in answer["capabilities"]
        self.hints = bool(answer["capabilities"].get("inlayHintProvider"))
        self.notify("initialized", {})

    def open(self, path):
        self.uri = pathlib.Path(path).as_uri()
        self.version = 1
        text = pathlib.Path(path).read_text()
        document = {"uri": self.uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return text

    def insert(self, line, character, text):
        self.version += 1
        position = {"line": line, "character": character}
        change = {"range": {"start": position, "end": position}, "text": text}
        document = {"uri": self.uri, "version": self.version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def hover(self, line, character):
        position = {"line": line, "character": character}
        return self.request("textDocument/hover", {"textDocument": {"uri": self.uri}, "position": position})

    def inlay_hints(self, lines):
        span = {"start": {"line": 0, "character": 0}, "end": {"line": lines, "character": 0}}
        return self.request("textDocument/inlayHint", {"textDocument": {"uri": self.uri}, "range": span})

    def diagnostics(self):
        """Fresh diagnostics of the document: pulled where the server offers that, else as pushed."""
        if self.pulls:
            return self.request("textDocument/diagnostic", {"textDocument": {"uri": self.uri}})
        while True:
            params = self.published.get(timeout=60)
            if params["uri"] == self.uri and params.get("version", self.version) == self.version:
                return params["diagnostics"]

    def memory(self):
        """Resident memory in MB, its children included."""
        total = 0
        for pid in [self.process.pid, *children(self.process.pid)]:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += int(status.split("VmRSS:")[1].split()[0])
        return total / 1024

    def stop(self):
        try:
            self.request("shutdown", None, timeout=5)
            self.notify("exit", None)
            self.process.wait(5)
        except Exception:
            self.process.kill()
            self.process.wait()

    def request(self, method, params, timeout=120):
        self.next_id += 1
        number = self.next_id
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        deadline = time.monotonic() + timeout
        with self.arrived:
            while number not in self.answers:
                if not self.arrived.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(method)
            answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer.get("result")

    def notify(self, method, params):
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def _send(self, message):
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self):
        stream = self.process.stdout
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return
            self._arrive(json.loads(stream.read(length)))

    def _arrive(self, message):
        if "method" not in message:
            with self.arrived:
                self.answers[message["id"]] = message
                self.arrived.notify_all()
        elif "id" in message:
            if message["method"] == "client/registerCapability":
                methods = [item["method"] for item in message["params"]["registrations"]]
                self.pulls = self.pulls or "textDocument/diagnostic" in methods
            items = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
            result = [None] * len(items) if items else None
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        elif message["method"] == "textDocument/publishDiagnostics":
            self.published.put(message["params"])


def children(pid):
    """The process ids below `pid`."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        direct = [int(child) for child in (task / "children").read_text().split()]
        for child in direct:
            found += [child, *children(child)]
    return found
