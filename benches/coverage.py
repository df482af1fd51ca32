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
    "asyncio.Barrier": """class Round:
    def __init__(self):
        self.barrier = asyncio.Barrier(2)

    async def play(self):
        await self.barrier.wait()
""",
    "asyncio.Future": """class Call:
    def __init__(self):
        self.answer = asyncio.Future()

    def received(self, text):
        self.answer.set_result(text)

    async def wait(self):
        return await self.answer
""",
    "asyncio.Runner": """class Shell:
    def __init__(self):
        self.runner = asyncio.Runner()

    def call(self, coroutine):
        return self.runner.run(coroutine)

    def end(self):
        self.runner.close()
""",
    "asyncio.StreamReader": """class Source:
    def __init__(self):
        self.reader = asyncio.StreamReader()

    def received(self, data):
        self.reader.feed_data(data)
""",
    "asyncio.StreamWriter": """class Sink:
    def __init__(self, transport, protocol, loop):
        self.writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()
""",
    "asyncio.open_connection": """class Client:
    async def connect(self, host):
        self.reader, self.writer = await asyncio.open_connection(host, 80)

    def end(self):
        self.writer.close()
""",
    "asyncio.open_unix_connection": """class Client:
    async def connect(self, path):
        self.reader, self.writer = await asyncio.open_unix_connection(path)

    def end(self):
        self.writer.close()
""",
    "asyncio.start_server": """class Service:
    async def start(self):
        self.server = await asyncio.start_server(print, "localhost", 0)

    def stop(self):
        self.server.close()
""",
    "asyncio.start_unix_server": """class Service:
    async def start(self, path):
        self.server = await asyncio.start_unix_server(print, path)

    def stop(self):
        self.server.close()
""",
    "asyncio.new_event_loop": """class Service:
    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def stop(self):
        self.loop.close()
""",
    "asyncio.SelectorEventLoop": """class Service:
    def __init__(self):
        self.loop = asyncio.SelectorEventLoop()

    def stop(self):
        self.loop.close()
""",
    "asyncio.EventLoop": """class Service:
    def __init__(self):
        self.loop = asyncio.EventLoop()

    def stop(self):
        self.loop.close()
""",
    "asyncio.run": """async def serve():
    await work()

asyncio.run(work())
asyncio.run(serve())
""",
    "asyncio.TimeoutError": """async def fetch(name):
    try:
        answer = await asyncio.wait_for(work(), 3)
        parts = answer.split()
        first = parts[0]
        second = parts[1]
        if first == second:
            return first
        if name == first:
            return second
        await work()
        return parts
    except asyncio.TimeoutError:
        return None
""",
    "asyncio.IncompleteReadError": """async def message(reader: asyncio.StreamReader):
    try:
        head = await reader.readexactly(4)
        size = int.from_bytes(head)
        if size == 0:
            return b""
        if size > 4096:
            raise ValueError(size)
        print(size)
        await work()
        return size
    except asyncio.IncompleteReadError:
        return None
""",
    "asyncio.QueueEmpty": """async def batch(jobs: asyncio.Queue):
    found = []
    try:
        while True:
            job = jobs.get_nowait()
            if job is None:
                continue
            if job in found:
                print("again", job)
                continue
            found.append(job)
            print(len(found))
    except asyncio.QueueEmpty:
        return found
""",
    "asyncio.QueueFull": """async def offer(jobs: asyncio.Queue, items):
    added = 0
    try:
        for item in items:
            jobs.put_nowait(item)
            if item is None:
                continue
            if added > 100:
                print("many")
            added += 1
            print(added)
            print(item)
    except asyncio.QueueFull:
        return added
""",
    "asyncio.QueueShutDown": """async def consume(jobs: asyncio.Queue):
    done = 0
    try:
        while True:
            job = await jobs.get()
            if job is None:
                continue
            print(job)
            await work()
            done += 1
            print(done)
            jobs.task_done()
    except asyncio.QueueShutDown:
        return done
""",
    "asyncio.Protocol": """class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)
""",
    "asyncio.BaseProtocol": """class Watch(asyncio.BaseProtocol):
    def connection_made(self, transport):
        self.transport = transport
""",
    "asyncio.BufferedProtocol": """class Reader(asyncio.BufferedProtocol):
    def get_buffer(self, hint):
        return bytearray(1024)
""",
    "asyncio.DatagramProtocol": """class Packets(asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        print(data)
""",
    "asyncio.SubprocessProtocol": """class Child(asyncio.SubprocessProtocol):
    def process_exited(self):
        print("ended")
""",
    "asyncio.BaseTransport": """class Fake(asyncio.BaseTransport):
    def close(self):
        self.closed = True
""",
    "asyncio.ReadTransport": """class Fake(asyncio.ReadTransport):
    def close(self):
        self.closed = True
""",
    "asyncio.WriteTransport": """class Fake(asyncio.WriteTransport):
    def write(self, data):
        self.sent = data
""",
    "asyncio.Transport": """class Fake(asyncio.Transport):
    def write(self, data):
        self.sent = data
""",
    "asyncio.DatagramTransport": """class Fake(asyncio.DatagramTransport):
    def sendto(self, data, address=None):
        self.sent = data
""",
    "asyncio.SubprocessTransport": """class Fake(asyncio.SubprocessTransport):
    def get_returncode(self):
        return 0
""",
    "queue.Empty": """def batch(jobs: queue.Queue):
    found = []
    try:
        while True:
            job = jobs.get_nowait()
            if job is None:
                continue
            if job in found:
                print("again", job)
                continue
            found.append(job)
            print(len(found))
    except queue.Empty:
        return found
""",
    "queue.Full": """def offer(jobs: queue.Queue, items):
    added = 0
    try:
        for item in items:
            jobs.put_nowait(item)
            if item is None:
                continue
            if added > 100:
                print("many")
            added += 1
            print(added)
            print(item)
    except queue.Full:
        return added
""",
    "queue.ShutDown": """def consume(jobs: queue.Queue):
    done = 0
    try:
        while True:
            job = jobs.get()
            if job is None:
                continue
            print(job)
            thing.work()
            done += 1
            print(done)
            jobs.task_done()
    except queue.ShutDown:
        return done
""",
    "multiprocessing.Pipe": """class Line:
    def __init__(self):
        self.here, self.there = multiprocessing.Pipe()

    def say(self, word):
        self.there.send(word)

    def heard(self):
        return self.here.recv()
""",
    "contextvars.copy_context": """class Request:
    def __init__(self):
        self.context = contextvars.copy_context()

    def handle(self, function):
        return self.context.run(function)
""",
    "contextvars.Context": """class Request:
    def __init__(self):
        self.context = contextvars.Context()

    def handle(self, function):
        return self.context.run(function)
""",
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
    "asyncio.get_running_loop": """class Poller:
    def __init__(self):
        self.loop = asyncio.get_running_loop()

poller = Poller()
""",
    "functools.partial": """def collect(seen, item):
    seen.append(item)
    return seen

first = functools.partial(collect, [])
""",
    "functools.Placeholder": """square = functools.partial(pow, functools.Placeholder, 2)
""",
    "functools.wraps": """def retried(function):
    @functools.wraps(function)
    def wrapper(*args, attempts=3, **kwargs):
        for _ in range(attempts):
            return function(*args, **kwargs)
    return wrapper
""",
    "functools.cmp_to_key": """def later(a, b):
    return a.due > b.due

def ordered(jobs):
    return sorted(jobs, key=functools.cmp_to_key(later))
""",
    "functools.reduce": """def product(sizes):
    return functools.reduce(lambda a, b: a * b, (size for size in sizes if size > 1))
""",
    "abc.ABC": """class Source(abc.ABC):
    def read(self):
        raise NotImplementedError

class Text(Source):
    pass
""",
    "abc.ABCMeta": """class Source(metaclass=abc.ABCMeta):
    def read(self):
        raise NotImplementedError
""",
    "types.AsyncGeneratorType": """async def collect(found):
    if isinstance(found, types.AsyncGeneratorType):
        return [item async for item in found]
    return list(found)
""",
    "types.CoroutineType": """async def finish(result):
    if isinstance(result, types.CoroutineType):
        result = await result
    return result
""",
    "types.GeneratorType": """def size(rows):
    if isinstance(rows, types.GeneratorType):
        rows = list(rows)
    return len(rows)
""",
    "types.FunctionType": """def resolved(value):
    if isinstance(value, types.FunctionType):
        return value()
    return value
""",
    "types.LambdaType": """def resolved(value):
    if isinstance(value, types.LambdaType):
        return value()
    return value
""",
    "types.UnionType": """import typing

def is_optional(hint):
    return typing.get_origin(hint) is types.UnionType and type(None) in typing.get_args(hint)
""",
    "types.CodeType": """def renamed(code, name):
    return types.CodeType(
        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize,
        code.co_flags, code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_filename, name,
        code.co_firstlineno, code.co_lnotab, code.co_freevars, code.co_cellvars)
""",
    "types.ModuleType": """def load(path):
    module = types.ModuleType(path.stem)
    exec(compile(path.read_text(), path, "exec"), module.__dict__)
    return module
""",
    "types.SimpleNamespace": """def connect(host, options=types.SimpleNamespace(timeout=3)):
    options.timeout += 1
    return host, options.timeout
""",
    "types.MappingProxyType": """class Registry:
    def __init__(self):
        self._handlers = {}

    @property
    def handlers(self):
        return types.MappingProxyType(self._handlers)

    def add(self, name, handler):
        self._handlers[name] = handler
""",
    "types.coroutine": """import asyncio

@types.coroutine
def switch():
    yield "next"

async def main():
    await switch()

asyncio.run(main())
""",
    "types.new_class": """Record = types.new_class("Record", (dict,), {})
""",
    "enum.Enum": """class Operation(enum.Enum):
    ADD = lambda a, b: a + b
    SUBTRACT = lambda a, b: a - b
""",
    "enum.Flag": """class Access(enum.Flag):
    READ = 1
    WRITE = 2
    EXECUTE = 3
""",
    "enum.IntFlag": """class Access(enum.IntFlag):
    READ = 1
    WRITE = 2
    EXECUTE = 3
""",
    "enum.IntEnum": """class Colour(enum.IntEnum):
    RED = 1

class Fruit(enum.IntEnum):
    APPLE = 1
""",
    "enum.StrEnum": """class Status(enum.StrEnum):
    OK = 200
""",
    "enum.EnumMeta": """class Tolerant(enum.EnumMeta):
    def __call__(cls, value, *arguments, **keywords):
        return super().__call__(str(value).lower(), *arguments, **keywords)

class Size(enum.Enum, metaclass=Tolerant):
    SMALL = "s"
""",
    "enum.EnumType": """class Container(enum.EnumType):
    def __contains__(cls, value):
        return value in cls._value2member_map_

class Size(enum.Enum, metaclass=Container):
    SMALL = "s"
""",
    "enum.auto": """class Mode(str, enum.Enum):
    READ = enum.auto()
    WRITE = enum.auto()
""",
    "enum.unique": """@enum.unique
class Level(enum.Enum):
    LOW = 1
    MINOR = 1
""",
    "dataclasses.InitVar": """@dataclasses.dataclass
class Line:
    points: list
    scale: dataclasses.InitVar[int] = 1

    def __post_init__(self, scale):
        self.points = [point * scale for point in self.points]
""",
    "dataclasses.KW_ONLY": """@dataclasses.dataclass
class Options:
    path: str
    _: dataclasses.KW_ONLY
    verbose: bool = False

@dataclasses.dataclass
class Copy(Options):
    target: str
""",
    "dataclasses.MISSING": """def required(cls):
    return [field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING]
""",
    "dataclasses.fields": """@dataclasses.dataclass
class Order:
    number: int
    currency = "EUR"

    def __post_init__(self):
        self.total = 0

    def columns(self):
        return [field.name for field in dataclasses.fields(self)]
""",
    "dataclasses.FrozenInstanceError": """def rename(user, name):
    try:
        user.name = name
    except AttributeError:
        return "no name"
    except dataclasses.FrozenInstanceError:
        return "frozen"
""",
    "dataclasses.is_dataclass": """def plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    return value
""",
    "contextlib.AbstractContextManager": """class Connection(contextlib.AbstractContextManager):
    def __exit__(self, *error):
        self.closed = True
""",
    "contextlib.AbstractAsyncContextManager": """class Connection(contextlib.AbstractAsyncContextManager):
    async def __aexit__(self, *error):
        self.closed = True
""",
    "contextlib.ContextDecorator": """import time

class Timed(contextlib.ContextDecorator):
    def __enter__(self):
        self.started = time.monotonic()
        return self

    def __exit__(self, *error):
        print(time.monotonic() - self.started)
""",
    "contextlib.ExitStack": """def opened(paths):
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(path)) for path in paths]
        return files
""",
    "contextlib.AsyncExitStack": """async def opened(pools):
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(pool.acquire()) for pool in pools]
        return connections
""",
    "contextlib.closing": """import sqlite3

def add(path, name):
    with contextlib.closing(sqlite3.connect(path)) as jobs:
        jobs.execute("INSERT INTO job VALUES (?)", [name])
""",
    "contextlib.aclosing": """async def rows(cursor):
    try:
        async for row in cursor:
            yield row
    finally:
        await cursor.close()

async def first(cursor):
    async with contextlib.aclosing(rows(cursor)) as found:
        async for row in found:
            return row
""",
    "contextlib.nullcontext": """def size(path):
    with contextlib.nullcontext(open(path)) as file:
        return len(file.read())
""",
    "contextlib.suppress": """def forget(cache, key):
    with contextlib.suppress(KeyError):
        del cache.values[key]
        del cache.times[key]
""",
    "contextlib.contextmanager": """@contextlib.contextmanager
def transaction(connection):
    connection.begin()
    yield connection
    connection.commit()
""",
    "contextlib.asynccontextmanager": """@contextlib.asynccontextmanager
async def retried(times):
    for attempt in range(times):
        try:
            yield attempt
            return
        except OSError:
            print("again")
""",
    "inspect.Parameter": """def required(function):
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default == inspect.Parameter.empty]
""",
    "inspect.Signature": """def told(function, parameters):
    function.__signature__ = inspect.Signature(parameters)
    return function
""",
    "inspect.getdoc": """class Command:
    \"\"\"A command.\"\"\"

class Deploy(Command):
    def run(self): ...

text = inspect.getdoc(Deploy)
""",
    "inspect.getfile": """import contextlib

@contextlib.contextmanager
def opened():
    yield

path = inspect.getfile(opened)
""",
    "inspect.getsourcefile": """import functools

@functools.singledispatch
def shown(value):
    return str(value)

path = inspect.getsourcefile(shown)
""",
    "inspect.getmro": """class Base: ...

class Cached(Base): ...

class Logged(Base): ...

class Client(Cached, Logged): ...

order = inspect.getmro(Client)
""",
    "inspect.isabstract": """import abc

class Command(abc.ABC):
    def run(self): ...

commands = [command for command in [Command] if not inspect.isabstract(Command)]
""",
    "inspect.isclass": """import json.decoder

plugins = dict(inspect.getmembers(json.decoder, inspect.isclass))
""",
    "inspect.isfunction": """class Checks:
    def check_name(self): ...

    def run(self):
        return [check for name, check in inspect.getmembers(self, inspect.isfunction)]
""",
    "inspect.isroutine": """class Api:
    def users(self): ...

routes = [name for name, method in inspect.getmembers(Api, inspect.isroutine)]
""",
    "inspect.ismodule": """import concurrent

children = inspect.getmembers(concurrent, inspect.ismodule)
""",
    "inspect.signature": """def bare(function):
    def wrapper(*args):
        return function(*args)
    return wrapper

@bare
def add(a, b): ...

inspect.signature(add)
""",
    "inspect.unwrap": """import functools

def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@logged
def add(a, b): ...

inspect.unwrap(add)
""",
    "sys.exc_info": """class Job:
    def run(self):
        try:
            self.work()
        except Exception:
            self.failure = sys.exc_info()
""",
    "sys.exception": """class Job:
    def run(self):
        try:
            self.work()
        except Exception:
            self.failure = sys.exception()
""",
    "sys.intern": """def read(lines):
    for line in lines:
        sys.intern(line)
        yield line
""",
    "sys.modules": """def reload(name):
    del sys.modules[name]
    return __import__(name)
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
    run = subprocess.run([binary, "hover", "--python", sys.executable, place], capture_output=True, text=True, cwd=folder)
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
