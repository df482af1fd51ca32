"""Judges edited programs. Each line that comes in is a JSON array of a text before and after an edit; the answer is a JSON
array of what is wrong with the second that is not wrong with the first."""

import builtins
import collections
import io
import json
import symtable
import sys
import tokenize
import warnings

MODULE_NAMES = {"__annotations__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}


def problem(text):
    try:
        compile(text, "program", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def tables(table):
    yield table
    for child in table.get_children():
        yield from tables(child)


def undefined(text):
    """The names that are read and bound nowhere."""
    top = symtable.symtable(text, "program", "exec")
    bound, read = set(dir(builtins)) | MODULE_NAMES, set()
    for table in tables(top):
        for symbol in table.get_symbols():
            is_binding = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if is_binding and (table is top or symbol.is_declared_global()):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                read.add(symbol.get_name())
    return read - bound


def comments(text):
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    return collections.Counter(token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT)


def judge(before, after):
    before, after = before.removeprefix("\ufeff"), after.removeprefix("\ufeff")
    if problem(before):
        return []
    if wrong := problem(after):
        return [f"the result does not compile: {wrong}"]
    wrong = [f"the name {name} is not defined" for name in sorted(undefined(after) - undefined(before))]
    return wrong + [f"the comment {comment} is lost" for comment in comments(before) - comments(after)]


warnings.simplefilter("ignore")
for line in sys.stdin:
    print(json.dumps(judge(*json.loads(line))), flush=True)
