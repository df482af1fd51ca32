"""Holds what `dunderstand facts` says about modules of the standard library against the interpreter that runs this.

    judge.py --files MODULE...      the files of those modules that this version has
    judge.py ANSWERS.jsonl [--silent]   with the facts that are not known

Each module is imported and looked at with `type`, `__mro__` and the like. A fact counts if the class or function can be reached by
its qualified name, was defined by that module and is the only one of that name. Prints a table and one line for each wrong answer;
exit code 1 when a fact falls below its threshold.
"""

import functools
import importlib
import inspect
import json
import sys
import types
import warnings

# Precision and recall in percent that each fact has to reach.
THRESHOLDS = {
    "metaclass": (99.5, 98),
    "metaclass, not type": (98, 95),
    "mro": (99, 95),
    "has_dict": (99.5, 97),
    "weakrefable": (99.5, 97),
    "member kind": (99.5, 98),
    "member kind, not plain": (98, 92),
    "member type": (99, 95),
    "function kind": (99.8, 99),
    "global type": (99, 0),
    "global type, run time": (99, 95),
}

# Where the types of locks, threads, queues, weak references and the like are defined.
RUN_TIME_MODULES = ("_thread", "threading", "weakref", "_weakref", "_weakrefset", "contextvars", "_contextvars", "queue", "_queue")


class Score:
    def __init__(self):
        self.counts = {fact: [0, 0, 0] for fact in THRESHOLDS}
        self.wrong = []
        self.silent = []

    def add(self, fact, truth, answer, is_right, where):
        count = self.counts[fact]
        count[0] += 1
        if answer is None:
            self.silent.append("%s, %s: not known; it is %s" % (where, fact, truth))
            return
        count[1] += 1
        if is_right:
            count[2] += 1
        else:
            self.wrong.append("%s, %s: it is %s, not %s" % (where, fact, truth, answer))

    def report(self):
        failed = False
        print("%-24s %6s %9s %9s %9s" % ("fact", "n", "answered", "precision", "recall"))
        for fact, (total, answered, right) in self.counts.items():
            precision = 100 * right / answered if answered else 0.0
            recall = 100 * right / total if total else 0.0
            least = THRESHOLDS[fact]
            below = precision < least[0] or recall < least[1]
            failed |= below
            note = "  below %s / %s" % least if below else ""
            print("%-24s %6d %9d %9.2f %9.2f%s" % (fact, total, answered, precision, recall, note))
        for line in self.wrong:
            print("wrong:", line)
        if "--silent" in sys.argv:
            for line in self.silent:
                print(line)
        return failed


def full_name(cls):
    return "%s.%s" % (cls.__module__, cls.__qualname__)


@functools.lru_cache(maxsize=None)
def found(name):
    """What a full name leads to: the longest module that is loaded, then attributes."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        value = sys.modules.get(".".join(parts[:end]))
        if value is None:
            continue
        for part in parts[end:]:
            value = inspect.getattr_static(value, part, None)
        return value
    return None


def names_class(cls, name):
    """A class may say it is of another module than the one that defines it: both names are right."""
    return name == full_name(cls) or found(name) is cls


def kind_of(value):
    cls = type(value)
    if hasattr(cls, "__set__") or hasattr(cls, "__delete__"):
        return "data-descriptor"
    return "non-data-descriptor" if hasattr(cls, "__get__") else "plain"


def once(records):
    """The records whose qualified name no other has."""
    by_name = {}
    for record in records:
        by_name.setdefault(record["qualname"], []).append(record)
    return {name: found[0] for name, found in by_name.items() if len(found) == 1}


def reach(module, qualname):
    value = module
    for part in qualname.split("."):
        if part not in getattr(value, "__dict__", {}):
            return None
        value = vars(value)[part]
    return value


def is_replaced(module, cls, answer):
    """Whether an extension module's type took the place of the class written here: its methods are not those of this file."""
    values = [vars(cls).get(member["name"]) for member in answer["members"]]
    functions = [value for value in values if isinstance(value, types.FunctionType)]
    if functions:
        return not any(function.__code__.co_filename == module.__file__ for function in functions)
    return any(inspect.ismethoddescriptor(value) or isinstance(value, types.WrapperDescriptorType) for value in values)


def judge_class(score, module, answer):
    cls = reach(module, answer["qualname"])
    if not isinstance(cls, type) or cls.__qualname__ != answer["qualname"]:
        return
    if cls.__module__ != module.__name__ and found(full_name(cls)) is not cls:
        return
    if is_replaced(module, cls, answer):
        return
    where = "%s.%s" % (module.__name__, answer["qualname"])
    metaclass = type(cls)
    is_right = answer["metaclass"] is not None and names_class(metaclass, answer["metaclass"])
    score.add("metaclass", full_name(metaclass), answer["metaclass"], is_right, where)
    if metaclass is not type:
        score.add("metaclass, not type", full_name(metaclass), answer["metaclass"], is_right, where)
    order = answer["mro"]
    is_right = order is not None and len(order) == len(cls.__mro__) and all(map(names_class, cls.__mro__, order))
    score.add("mro", [full_name(base) for base in cls.__mro__], order, is_right, where)
    for fact, offset in (("has_dict", cls.__dictoffset__), ("weakrefable", cls.__weakrefoffset__)):
        score.add(fact, offset != 0, answer[fact], answer[fact] is (offset != 0), where)
    for member in answer["members"]:
        name = member["name"]
        if name.startswith("__") and not name.endswith("__"):
            name = "_%s%s" % (cls.__name__.lstrip("_"), name)
        if name not in vars(cls):
            # It is gone: a kind must not be stated.
            if member["kind"] is not None:
                score.add("member kind", "gone", member["kind"], False, where + "." + name)
            continue
        value = vars(cls)[name]
        kind, of = kind_of(value), type(value)
        is_right = member["kind"] == kind
        score.add("member kind", kind, member["kind"], is_right, where + "." + name)
        if kind != "plain" and of is not types.FunctionType:
            score.add("member kind, not plain", kind, member["kind"], is_right, where + "." + name)
        is_right = member["type"] is not None and names_class(of, member["type"])
        score.add("member type", full_name(of), member["type"], is_right, where + "." + name)


def function_kind(function):
    for test, kind in (
        (inspect.isasyncgenfunction, "async-generator"),
        (inspect.iscoroutinefunction, "coroutine"),
        (inspect.isgeneratorfunction, "generator"),
    ):
        if test(function):
            return kind
    return "function"


def judge(score, answers):
    module = importlib.import_module(answers["module"])
    for answer in once(answers["classes"]).values():
        judge_class(score, module, answer)
    for qualname, answer in once(answers["functions"]).items():
        function = inspect.unwrap(reach(module, qualname) or len)
        function = getattr(function, "__func__", function)
        if isinstance(function, types.FunctionType) and function.__code__.co_filename == module.__file__:
            if function.__name__ == qualname.rsplit(".", 1)[-1]:
                where = "%s.%s" % (module.__name__, qualname)
                kind = function_kind(function)
                score.add("function kind", kind, answer["kind"], answer["kind"] == kind, where)
    for answer in answers["globals"]:
        if answer["name"] in vars(module):
            of = type(vars(module)[answer["name"]])
            is_right = answer["type"] is not None and names_class(of, answer["type"])
            where = "%s.%s" % (module.__name__, answer["name"])
            score.add("global type", full_name(of), answer["type"], is_right, where)
            if of.__module__ in RUN_TIME_MODULES or of in (functools.partial, type(found)):
                score.add("global type, run time", full_name(of), answer["type"], is_right, where)


def main():
    warnings.simplefilter("ignore")
    if sys.argv[1] == "--files":
        for name in sys.argv[2:]:
            try:
                print(importlib.import_module(name).__file__)
            except ImportError:
                pass  # Not in this version, or not built.
        return False
    score = Score()
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            judge(score, json.loads(line))
    print("CPython", ".".join(map(str, sys.version_info[:3])))
    return score.report()


if __name__ == "__main__":
    sys.exit(main())
