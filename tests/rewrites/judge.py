"""Judges edited programs. Each line that comes in is a JSON array of a text before and after an edit and of what was done; the
answer is a JSON array of what is wrong with the second text that is not wrong with the first. The diffs are appended to the
file that `DUNDERSTAND_REWRITES_DIFFS` names."""

import ast
import builtins
import collections
import difflib
import io
import json
import os
import re
import symtable
import sys
import tokenize
import warnings

WORD = re.compile(r"[^\W\d]\w*")
ALONE = re.compile(r"(import [\w.]+( as \w+)?|from [\w.]+ import [\w., ]+)\s*$")
LITERAL_EXPORTS = re.compile(r"""__all__[^=]*=\s*[\[(]\s*(["'\])]|$)""")
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


def imports(text):
    """How often the module imports each name at its top level."""
    bound = collections.Counter()
    for statement in ast.parse(text).body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            origin = getattr(statement, "module", None)
            bound.update((origin, alias.name, alias.asname) for alias in statement.names)
    return bound


def unused(text):
    """The imports at the top level whose name occurs nowhere else: not as a name, not in a string; none where the exports are
    worked out. An import that shares its line with more, as with a comment, may stay."""
    exports = [line for line in text.splitlines() if line.startswith("__all__")]
    if not all(LITERAL_EXPORTS.match(line) for line in exports):
        return set()
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    kinds = (tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
    words = collections.Counter()
    for token in tokens:
        if token.type in kinds:
            words.update(WORD.findall(token.string))
    alone = [line for line in text.splitlines() if ALONE.match(line)]
    names = [((alias or name).split(".")[0], name, alias) for _, name, alias in imports("\n".join(alone))]
    return {name for name, imported, alias in names if words[name] <= 1 and not (alias and imported == alias)}


def requoted(before, after):
    """The lines that differ from a line that went in their quotes, spaces or trailing blanks only."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    plain = lambda line: line.replace("'", '"').replace(" ", "").replace("\t", "")
    gone = {plain(line[1:]): line[1:].strip() for line in lines if line[0] == "-"}
    new = [line[1:].strip() for line in lines if line[0] == "+"]
    return [line for line in new if plain(line) and gone.get(plain(line), line) != line and line not in gone.values()]


def print_diff(before, after, what):
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=9, lineterm="")
    with open(os.environ["DUNDERSTAND_REWRITES_DIFFS"], "a", encoding="utf-8", errors="replace") as file:
        print("=" * 8, what, *list(lines)[2:], sep="\n", file=file)


def judge(before, after, what):
    if "DUNDERSTAND_REWRITES_DIFFS" in os.environ:
        print_diff(before, after, what)
    before, after = before.removeprefix("\ufeff"), after.removeprefix("\ufeff")
    if problem(before):
        return []
    if wrong := problem(after):
        return [f"the result does not compile: {wrong}"]
    wrong = [f"the name {name} is not defined" for name in sorted(undefined(after) - undefined(before))]
    wrong += [f"the comment {comment} is lost" for comment in comments(before) - comments(after)]
    doubled = [key for key, count in (imports(after) - imports(before)).items() if count and imports(before)[key]]
    wrong += [f"the import {key} is there twice" for key in doubled]
    # What was read in continued lines is not found again by every rewrite: its import may stay.
    is_continued = "\\\n" in before or "\\\r\n" in before
    unread = set() if is_continued else unused(after) - unused(before)
    wrong += [f"nothing uses the import of {name} any more" for name in sorted(unread)]
    return wrong + [f"a line is rewritten without need: {line}" for line in requoted(before, after)]


warnings.simplefilter("ignore")
for line in sys.stdin:
    print(json.dumps(judge(*json.loads(line))), flush=True)
