#!/usr/bin/env python3
"""Measures language servers on one file, side by side in one run: cold start, hover, keystroke, memory.

    benches/editors.py FOLDER FILE NAME=COMMAND...

    python3 -m venv peers && peers/bin/pip install -r benches/requirements.txt
    benches/editors.py django-folder django/db/models/query.py \
        dunderstand="target/release/dunderstand server" ty="peers/bin/ty server" zuban="peers/bin/zuban server"

Rounds go through all servers in turn, so that a drift of the machine's speed meets them all. Medians are printed in
milliseconds, with the ratio to each peer. A keystroke counts until hover, hints and diagnostics are fresh.
"""

import argparse
import ast
import pathlib
import shlex
import statistics
import time

from client import Server


def milliseconds(start):
    return (time.perf_counter() - start) * 1000


def identifiers(text, count):
    """Positions of names, spread over the file; lines from 0."""
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Name, ast.Attribute))]
    spots = sorted({(node.end_lineno - 1, node.end_col_offset - 1) for node in names})
    return spots[:: max(1, len(spots) // count)][:count]


def measure(command, folder, file, keystrokes):
    start = time.perf_counter()
    server = Server(command, folder)
    try:
        server.initialize()
        text = server.open(folder / file)
        spots = identifiers(text, 100)
        server.hover(*spots[0])
        figures = {"cold start to first hover": [milliseconds(start)]}
        everything(server, text, spots[0])
        hovers = []
        for spot in spots:
            start = time.perf_counter()
            server.hover(*spot)
            hovers.append(milliseconds(start))
        figures["hover"] = hovers
        line, column = last_statement(text)
        figures["keystroke"] = []
        for index in range(keystrokes):
            start = time.perf_counter()
            server.insert(line, column + index, "x")
            everything(server, text, spots[0])
            figures["keystroke"].append(milliseconds(start))
        figures["memory (MB)"] = [server.memory()]
        return figures
    finally:
        server.stop()


def everything(server, text, spot):
    """All that a server shows by itself, and one hover."""
    if server.hints:
        server.inlay_hints(text.count("\n"))
    server.diagnostics()
    server.hover(*spot)


def last_statement(text):
    """The end of a name in the body of the last function: an edit there changes one statement."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    last = max(functions, key=lambda node: node.lineno)
    names = [node for node in ast.walk(last.body[-1]) if isinstance(node, ast.Name)]
    name = max(names, key=lambda node: (node.end_lineno, node.end_col_offset))
    return name.end_lineno - 1, name.end_col_offset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("file")
    parser.add_argument("servers", nargs="+", metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keystrokes", type=int, default=20)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    servers = dict(item.split("=", 1) for item in arguments.servers)
    collected = {name: {} for name in servers}
    for _ in range(arguments.rounds):
        for name, command in servers.items():
            for figure, values in measure(shlex.split(command), folder, arguments.file, arguments.keystrokes).items():
                collected[name].setdefault(figure, []).extend(values)
    show(collected)


def show(collected):
    first = next(iter(collected))
    for figure in collected[first]:
        print(f"\n{figure}")
        own = statistics.median(collected[first][figure])
        for name, figures in collected.items():
            values = sorted(figures[figure])
            median = statistics.median(values)
            high = values[int(len(values) * 0.95)] if len(values) >= 20 else values[-1]
            print(f"  {name:14} median {median:8.2f}   95 % {high:8.2f}   {first}/{name} {own / median:5.2f}")


if __name__ == "__main__":
    main()
