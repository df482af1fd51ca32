"""How many public names have a hover that says something of that name.

    python benches/coverage.py [--list] [BINARY]

For every public name of some modules of the standard library, and for the special methods of the language reference, asks for
the hover at a use of it. A name counts when a page speaks that is about it: pages on several names say a sentence of their own
of each. A hover says what follows in a program and is silent where nothing does, so special methods stand in programs where
something does. Run it with the newest interpreter at hand, whose names it takes.
"""

import importlib
import inspect
import pathlib
import subprocess
import sys
import tempfile

MODULES = """weakref gc tracemalloc asyncio threading queue multiprocessing concurrent.futures contextvars functools abc types enum
dataclasses contextlib inspect sys""".split()

# Those of `sys` that have to do with memory, frames and tracing.
SYS = """getrefcount getsizeof getallocatedblocks getunicodeinternedsize intern getrecursionlimit setrecursionlimit
getswitchinterval setswitchinterval settrace gettrace setprofile getprofile call_tracing addaudithook audit monitoring exc_info
exception excepthook unraisablehook breakpointhook is_finalizing get_asyncgen_hooks set_asyncgen_hooks
get_coroutine_origin_tracking_depth set_coroutine_origin_tracking_depth activate_stack_trampoline deactivate_stack_trampoline
is_stack_trampoline_active _getframe _current_frames _current_exceptions _debugmallocstats modules""".split()

# The methods of the chapter "Data model" of the language reference.
METHODS = """__new__ __init__ __del__ __repr__ __str__ __bytes__ __format__ __lt__ __le__ __eq__ __ne__ __gt__ __ge__ __hash__
__bool__ __getattr__ __getattribute__ __setattr__ __delattr__ __dir__ __get__ __set__ __delete__ __set_name__ __init_subclass__
__mro_entries__ __prepare__ __instancecheck__ __subclasscheck__ __class_getitem__ __call__ __len__ __length_hint__ __getitem__
__setitem__ __delitem__ __missing__ __iter__ __reversed__ __contains__ __add__ __sub__ __mul__ __matmul__ __truediv__
__floordiv__ __mod__ __divmod__ __pow__ __lshift__ __rshift__ __and__ __xor__ __or__ __radd__ __rsub__ __rmul__ __rmatmul__
__rtruediv__ __rfloordiv__ __rmod__ __rdivmod__ __rpow__ __rlshift__ __rrshift__ __rand__ __rxor__ __ror__ __iadd__ __isub__
__imul__ __imatmul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __ilshift__ __irshift__ __iand__ __ixor__ __ior__ __neg__
__pos__ __abs__ __invert__ __complex__ __int__ __float__ __index__ __round__ __trunc__ __floor__ __ceil__ __enter__ __exit__
__buffer__ __release_buffer__ __await__ __aiter__ __anext__ __aenter__ __aexit__""".split()

AWAITED = {"asyncio.gather", "asyncio.to_thread", "asyncio.wait_for", "asyncio.shield"}
ENTERED = {"asyncio.timeout", "asyncio.timeout_at", "asyncio.TaskGroup"}
DECORATORS = """functools.wraps functools.lru_cache functools.cache functools.cached_property functools.singledispatch
functools.singledispatchmethod functools.partialmethod functools.total_ordering contextlib.contextmanager
contextlib.asynccontextmanager dataclasses.dataclass abc.abstractmethod""".split()
ARGUMENTS = {
    "weakref.finalize": "thing, print", "weakref.WeakMethod": "thing.work", "asyncio.gather": "work()",
    "asyncio.to_thread": "print", "asyncio.timeout": "1", "asyncio.wait_for": "work(), 1", "asyncio.sleep": "0",
    "asyncio.run": "work()", "asyncio.create_task": "work()", "asyncio.ensure_future": "work()", "asyncio.shield": "work()",
    "asyncio.TaskGroup": "",
}
HEAD = """import {module}

class Thing:
    def work(self): ...

thing = Thing()

async def work(): ...

"""
# Programs in which something follows from the method: as a bare method most have nothing to be said of them.
FORMS = {
    "__prepare__": "class Thing(type):\n    @classmethod\n    def __prepare__(mcs, name, bases):\n        return {}\n",
    "__getattr__": """class Proxy:
    def __init__(self, target):
        self.target = target

    def __getattr__(self, name):
        return getattr(self.target, name)
""",
    "__new__": """class Settings:
    _only = None

    def __new__(cls):
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __init__(self):
        self.values = {}
""",
    "__init_subclass__": "class Thing:\n    def __init_subclass__(cls):\n        pass\n\nclass Other(Thing):\n    pass\n",
    "__init__": """class Job:
    def __init__(self, name):
        self.name = name

    def start(self):
        self.begun = True

    def state(self):
        return self.begun
""",
    "__repr__": """import dataclasses

class Record:
    def __repr__(self):
        return "<record>"

@dataclasses.dataclass
class Order(Record):
    number: int
""",
    "__format__": """class Price:
    def __init__(self, amount):
        self.amount = amount

    def __format__(self, spec):
        return f"{self.amount} EUR"
""",
    "__ne__": """class Key:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, Key) and self.name == other.name

    def __ne__(self, other):
        return not self == other
""",
    "__call__": """class Traced:
    def __init__(self, function):
        self.function = function

    def __call__(self, *arguments):
        print("called")
        return self.function(*arguments)
""",
    "__delitem__": """class Table(dict):
    def __delitem__(self, key):
        print("gone", key)
        super().__delitem__(key)
""",
    "__length_hint__": """class Feed:
    def __init__(self, lines):
        self.lines = lines

    def __iter__(self):
        return iter(self.lines)

    def __length_hint__(self):
        return 100
""",
    "__iter__": """class Pages:
    def __init__(self, pages):
        self.pages = list(pages)

    def __len__(self):
        return len(self.pages)

    def __iter__(self):
        return self

    def __next__(self):
        if not self.pages:
            raise StopIteration
        return self.pages.pop()
""",
    "__reversed__": """class Path:
    def __init__(self, steps):
        self.steps = list(steps)

    def __reversed__(self):
        return list(self.steps)[::-1]
""",
    "__divmod__": """class Span:
    def __init__(self, days):
        self.days = days

    def __divmod__(self, other):
        return divmod(self.days, other)
""",
    "__rdivmod__": """class Span:
    def __init__(self, days):
        self.days = days

    def __rdivmod__(self, other):
        return divmod(other, self.days)
""",
    "__neg__": """class Vector:
    def __init__(self, x):
        self.x = x

    def __neg__(self):
        self.x = -self.x
        return self
""",
    "__pos__": """class Tally:
    def __init__(self):
        self.total = 0

    def add(self, number):
        self.total += number

    def __pos__(self):
        return self
""",
    "__abs__": """class Vector:
    def __init__(self, x):
        self.x = x

    def __abs__(self):
        self.x = abs(self.x)
        return self
""",
    "__exit__": """class Ignored:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return True
""",
    "__aiter__": """class Messages:
    def __init__(self, queue):
        self.queue = queue

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.queue.get()
""",
    "__aexit__": """class Ignored:
    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        return True
""",
    "__setattr__": """class Frozen:
    def __init__(self, size):
        self.size = size

    def __setattr__(self, name, value):
        raise AttributeError(name)
""",
    "__delattr__": """class Frozen:
    def __init__(self, size):
        self.size = size

    def __delattr__(self, name):
        raise AttributeError(name)
""",
    "__invert__": """class Flags:
    def __init__(self, bits):
        self.bits = bits

    def __invert__(self):
        self.bits = ~self.bits
        return self
""",
}
# Operators of two operands: what the right one has to have follows from the body.
OPERATORS = """__add__ __sub__ __mul__ __matmul__ __truediv__ __floordiv__ __mod__ __pow__ __lshift__ __rshift__ __and__ __xor__
__or__""".split()
OPERATION = """class Length:
    def __init__(self, metres):
        self.metres = metres

    def {method}(self, other):
        return Length(self.metres + other.metres)
"""
# Names of which something follows only in a program of some lines; the first use in it is asked about.
PROGRAMS = {
    "asyncio.Event": """class Link:
    def __init__(self):
        self.ready = asyncio.Event()

    def connected(self):
        self.ready.set()

    async def send(self, text):
        await self.ready.wait()
""",
    "queue.Queue": """jobs = queue.Queue()

def produce():
    jobs.put(1)

def consume():
    return jobs.get()
""",
    "queue.LifoQueue": """jobs = queue.LifoQueue()

def produce():
    jobs.put(1)

def consume():
    return jobs.get()
""",
    "queue.PriorityQueue": """jobs = queue.PriorityQueue()

def produce():
    jobs.put(1)

def consume():
    return jobs.get()
""",
    "threading.Event": """class Service:
    def __init__(self):
        self.stopping = threading.Event()

    def run(self):
        self.stopping.wait()

    def stop(self):
        self.stopping.set()
""",
    "threading.Lock": """class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.total = 0

    def add(self, number):
        with self.lock:
            self.total += number
""",
    "threading.current_thread": """async def handle():
    name = threading.current_thread().name
    await work()
    return name
""",
    "threading.get_ident": """def fetch():
    return threading.get_ident()

threading.Thread(target=fetch).start()
""",
    "threading.get_native_id": """def fetch():
    return threading.get_native_id()

threading.Thread(target=fetch).start()
""",
    "dataclasses.dataclass": """@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    seen: list
""",
    "dataclasses.field": """TAGS = []

@dataclasses.dataclass
class Job:
    tags: list = dataclasses.field(default_factory=lambda: TAGS)
""",
}
OWNER = "class Thing:\n    def {method}(self, instance, other=None):\n        return 1\n\nclass Owner:\n    thing = Thing()\n"


def public(module):
    if module == "sys":
        return SYS
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None)
    if names is None:
        names = [name for name in dir(found) if getattr(getattr(found, name), "__module__", module) == module]
        names = [name for name in names if not inspect.ismodule(getattr(found, name))]
    return sorted({name for name in names if not name.startswith("_")})


def use(module, name):
    """A program that uses the name."""
    full = f"{module}.{name}"
    if full in PROGRAMS:
        return PROGRAMS[full]
    thing = getattr(importlib.import_module(module), name, None)
    argument = ARGUMENTS.get(full, "thing")
    is_error = isinstance(thing, type) and issubclass(thing, BaseException)
    if full in DECORATORS:
        call = "(print)" if name == "wraps" else ""
        if name in ("dataclass", "total_ordering"):
            return f"@{full}\nclass Decorated:\n    value: int = 1\n"
        word = "async def" if name == "asynccontextmanager" else "def"
        return f"class Holder:\n    @{full}{call}\n    {word} decorated(self):\n        yield 1\n"
    if full in ENTERED:
        return f"async def main():\n    async with {full}({argument}) as scope:\n        await work()\n"
    if full in AWAITED or (module == "asyncio" and inspect.iscoroutinefunction(thing)):
        return f"async def main():\n    value = await {full}({argument})\n"
    if not callable(thing) or is_error:
        return f"value = {full}\n"
    if module == "asyncio" and name != "run":
        return f"async def main():\n    value = {full}({argument})\n"
    return f"value = {full}({argument})\n"


def method(name):
    if name in ("__get__", "__set__", "__delete__", "__set_name__"):
        return OWNER.format(method=name)
    if name in OPERATORS:
        return OPERATION.format(method=name)
    return FORMS.get(name, f"class Thing:\n    def {name}(self, *arguments):\n        return NotImplemented\n")


def hovers(binary, folder, text, offset):
    (folder / "use.py").write_text(text)
    line = text.count("\n", 0, offset) + 1
    place = f"use.py:{line}:{offset - text.rfind(chr(10), 0, offset)}"
    run = subprocess.run([binary, "hover", place], capture_output=True, text=True, cwd=folder)
    return run.returncode == 0 and bool(run.stdout.strip())


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--list"]
    binary = str(pathlib.Path(arguments[0] if arguments else "target/release/dunderstand").resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        version = "{}.{}".format(*sys.version_info[:2])
        (folder / "pyproject.toml").write_text(f'[project]\nname = "use"\nversion = "1"\nrequires-python = ">={version}"\n')
        for module in MODULES:
            missing = []
            for found in public(module):
                text = HEAD.format(module=module) + use(module, found)
                offset = text.index(f"{module}.{found}", len(HEAD.format(module=module))) + len(module) + 1
                if not hovers(binary, folder, text, offset):
                    missing.append(found)
            report(module, len(public(module)), missing)
        missing = [name for name in METHODS if not hovers(binary, folder, method(name), method(name).index(f"def {name}(") + 4)]
        report("data model methods", len(METHODS), missing)


def report(what, count, missing):
    share = 100 * (count - len(missing)) / count
    print(f"{what:20} {count - len(missing):4} of {count:3} {share:6.1f} %", *(missing if "--list" in sys.argv else []), flush=True)


if __name__ == "__main__":
    main()
