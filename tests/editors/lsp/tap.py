"""Stands between an editor and a server and writes every message down, one JSON object a line.

    python tap.py LOG -- SERVER ARGUMENTS…

A line is {"from": "client" | "server", "message": …}. The bytes pass unchanged; the tap ends when the server does, with its
exit code. Standard library only.
"""
import json
import subprocess
import sys
import threading


class Messages:
    """Cuts a stream into messages."""

    def __init__(self):
        self.buffer = b""

    def feed(self, data):
        self.buffer += data
        while True:
            head, separator, rest = self.buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            fields = dict(line.split(b":", 1) for line in head.split(b"\r\n"))
            length = int(next(value for name, value in fields.items() if name.lower() == b"content-length"))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            yield json.loads(rest[:length])


def main():
    log_path, dashes, *command = sys.argv[1:]
    assert dashes == "--", __doc__
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lock = threading.Lock()
    with open(log_path, "a", encoding="utf-8") as log:

        def note(sender, message):
            with lock:
                log.write(json.dumps({"from": sender, "message": message}) + "\n")
                log.flush()

        def pump(source, target, sender):
            messages = Messages()
            while data := source.read1(65536):
                # First noted, then passed on: an answer never stands before its question.
                for message in messages.feed(data):
                    note(sender, message)
                try:
                    target.write(data)
                    target.flush()
                except OSError:
                    break
            try:
                target.close()
            except OSError:
                pass

        threading.Thread(target=pump, args=(sys.stdin.buffer, server.stdin, "client"), daemon=True).start()
        outgoing = threading.Thread(target=pump, args=(server.stdout, sys.stdout.buffer, "server"), daemon=True)
        outgoing.start()
        code = server.wait()
        outgoing.join(5)
    sys.stdout = None
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    import os

    code = main()
    os._exit(code)
