"""Holds messages against the protocol, as `lsprotocol` describes it.

A message is read into the type its method has, and written back: what the type does not know, or knows otherwise, differs.
Requests of the server's own (`dunderstand/…`) are outside of the protocol; of them only the envelope is looked at.

    python protocol.py LOG…     checks what tap.py wrote; says how many messages of which methods were seen
"""
import collections
import enum
import json
import pathlib
import sys

from lsprotocol import converters, types

CONVERTER = converters.get_converter()
OWN = "dunderstand/"


class Violation(Exception):
    """A message that the protocol does not allow."""


def without_nulls(value):
    """Optional members that are unset are left out when they are written back."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [without_nulls(inner) for inner in value]
    return value


def first_difference(sent, kept, path="message"):
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name in sorted(sent.keys() | kept.keys()):
            if name not in kept:
                return f"{path}.{name} is unknown"
            if name not in sent:
                return f"{path}.{name} is missing"
            found = first_difference(sent[name], kept[name], f"{path}.{name}")
            if found:
                return found
        return None
    if isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        pairs = enumerate(zip(sent, kept))
        return next((found for i, (a, b) in pairs if (found := first_difference(a, b, f"{path}[{i}]"))), None)
    if isinstance(kept, enum.Enum):
        kept = kept.value
    # `true` is not `1`.
    same = sent == kept and isinstance(sent, bool) == isinstance(kept, bool)
    return None if same else f"{path} is {sent!r}, read as {kept!r}"


def round_trip(message, shape, what):
    try:
        kept = CONVERTER.unstructure(CONVERTER.structure(message, shape))
    except Exception as error:
        raise Violation(f"{what}: {type(error).__name__}: {error} in {json.dumps(message)[:600]}") from error
    difference = first_difference(without_nulls(message), without_nulls(kept))
    if difference:
        raise Violation(f"{what}: {difference} in {json.dumps(message)[:600]}")


def check_envelope(message):
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise Violation(f"no JSON-RPC 2.0 message: {json.dumps(message)[:200]}")
    if "method" not in message:
        if "id" not in message:
            raise Violation(f"an answer without an id: {json.dumps(message)[:200]}")
        if ("result" in message) == ("error" in message):
            raise Violation(f"an answer has either a result or an error: {json.dumps(message)[:200]}")
    elif not isinstance(message.get("params", {}), (dict, list)):
        raise Violation(f"parameters are an object or a list: {json.dumps(message)[:200]}")
    elif "result" in message or "error" in message:
        raise Violation(f"a request with an answer in it: {json.dumps(message)[:200]}")


class Conversation:
    """Checks the messages of one connection, in order."""

    def __init__(self, is_checked=lambda sender: True):
        self.is_checked = is_checked
        self.waiting = {"client": {}, "server": {}}
        self.seen = collections.Counter()

    def see(self, sender, message):
        other = "server" if sender == "client" else "client"
        if self.is_checked(sender):
            check_envelope(message)
        if "method" in message:
            method, is_request = message["method"], "id" in message
            if is_request:
                self.waiting[sender][message["id"]] = method
            kind = "request" if is_request else "notification"
            position = 0
        elif message["id"] is None and "error" in message:
            # What could not be read has no id.
            self.seen[f"{sender} error"] += 1
            if self.is_checked(sender):
                round_trip(message, types.ResponseErrorMessage, "error without an id")
            return
        else:
            method, kind, position = self.waiting[other].pop(message["id"], None), "response", 1
            if method is None:
                raise Violation(f"an answer to nothing that was asked: {json.dumps(message)[:200]}")
        self.seen[f"{sender} {kind} {method}"] += 1
        if not self.is_checked(sender) or method.startswith(OWN):
            return
        if "error" in message:
            round_trip(message, types.ResponseErrorMessage, f"error on {method}")
            return
        if method not in types.METHOD_TO_TYPES:
            raise Violation(f"{method} is not in the protocol")
        round_trip(message, types.METHOD_TO_TYPES[method][position], f"{kind} {method} of the {sender}")

    def unanswered(self):
        """What the client asked and got no answer to."""
        return list(self.waiting["client"].values())


def check_log(path):
    """Checks what the server said in one log; returns the counter. A log may hold several conversations, one after another."""
    seen = collections.Counter()
    conversation = None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            if row["message"].get("method") == "initialize" or conversation is None:
                conversation = Conversation(lambda sender: sender == "server")
            try:
                conversation.see(row["from"], row["message"])
            except Violation as violation:
                raise Violation(f"{path}:{number}: {violation}") from violation
            seen[f'{row["from"]} messages'] += 1
            if row["from"] == "server" and "method" not in row["message"]:
                seen["answers"] += 1
    return seen


def main(paths):
    total = collections.Counter()
    failed = 0
    for path in paths:
        try:
            total += check_log(path)
        except Violation as violation:
            failed += 1
            print(f"VIOLATION {violation}")
    print(f"{len(paths)} logs: {total['server messages']} messages of the server, {total['answers']} of them answers; {failed} logs with violations")
    return 1 if failed or not total["server messages"] else 0


if __name__ == "__main__":
    sys.exit(main([pathlib.Path(path) for path in sys.argv[1:]]))
