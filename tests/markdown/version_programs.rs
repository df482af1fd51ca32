//! The programs that ask an interpreter what is true of it.

/// A page, a fact of its `[versions]`, and a program that prints what is true: the fact's text, or nothing where it is missing.
pub const FACTS: &[(&str, &str, &str)] = &[
    ("memory/gc-thresholds", "threshold", "import gc\nprint(gc.get_threshold())\n"),
    ("processes/start-method", "linux_default", "import multiprocessing as m\nprint(m.get_start_method())\n"),
    (
        "threads/thread-pool-executor",
        "default_workers",
        "import concurrent.futures.thread as t, inspect\n\
         source = inspect.getsource(t.ThreadPoolExecutor.__init__)\n\
         print('min(32, os.process_cpu_count() + 4)' if 'process_cpu_count' in source else 'min(32, os.cpu_count() + 4)')\n",
    ),
    (
        "asyncio/wait-for",
        "error",
        "import asyncio\nprint('TimeoutError' if asyncio.TimeoutError is TimeoutError else 'asyncio.TimeoutError')\n",
    ),
    ("metaclasses/callable-filter", "static_passes", "print('staticmethod' if callable(staticmethod(len)) else '')\n"),
    (
        "metaclasses/enum-auto",
        "refused",
        "import enum\n\
         try:\n\
         \x20   class Behind(enum.Enum):\n\
         \x20       TEXT = 'text'\n\
         \x20       NEXT = enum.auto()\n\
         except TypeError:\n\
         \x20   print('raises `TypeError`: one cannot be added to it')\n",
    ),
    (
        "threads/executor-map",
        "buffersize",
        "import concurrent.futures as c, inspect\n\
         print('buffersize' if 'buffersize' in inspect.signature(c.Executor.map).parameters else '')\n",
    ),
    (
        "threads/gil",
        "free_threaded",
        "import sys\n\
         print('%s.%st' % sys.version_info[:2] if hasattr(sys, '_is_gil_enabled') else '')\n",
    ),
];

/// What `asyncio.get_event_loop()` does where no loop is set.
const WITHOUT_LOOP: &str = "import asyncio, warnings\n\
         with warnings.catch_warnings(record=True) as seen:\n\
         \x20   warnings.simplefilter('always')\n\
         \x20   try:\n\
         \x20       asyncio.get_event_loop()\n\
         \x20       print('#2' if any('loop' in str(one.message) for one in seen) else '#1')\n\
         \x20   except RuntimeError:\n\
         \x20       print('#3')\n";

/// What a `functools.partial` in a class body is called with.
const PARTIAL_IN_CLASS: &str = "import functools, warnings\n\
         warnings.simplefilter('ignore')\n\
         class Shop:\n\
         \x20   sell = functools.partial(lambda *given: given, 'pear')\n\
         print('#1' if Shop().sell() == ('pear',) else '#2')\n";

/// As [`FACTS`], where the fact is a sentence: the program prints `#1` where the page's first text is true, `#2` where the second is.
pub const SENTENCES: &[(&str, &str, &str)] = &[
    (
        "asyncio/as-completed",
        "both",
        "import asyncio\n\
         async def main():\n\
         \x20   made = asyncio.as_completed([asyncio.sleep(0)])\n\
         \x20   print('#2' if hasattr(made, '__aiter__') else '#1')\n\
         \x20   for one in made:\n\
         \x20       await one\n\
         asyncio.run(main())\n",
    ),
    (
        "asyncio/gather",
        "group",
        "import asyncio\n\
         print('#2' if hasattr(asyncio, 'TaskGroup') else '#1')\n",
    ),
    ("asyncio/get-event-loop", "without", WITHOUT_LOOP),
    (
        "asyncio/iscoroutinefunction",
        "outdated",
        "import asyncio, warnings\n\
         with warnings.catch_warnings(record=True) as seen:\n\
         \x20   warnings.simplefilter('always')\n\
         \x20   asyncio.iscoroutinefunction(len)\n\
         print('#2' if seen else '#1')\n",
    ),
    (
        "asyncio/lock",
        "early",
        "import asyncio\n\
         lock = asyncio.Lock()\n\
         print('#1' if getattr(lock, '_loop', None) else '#2')\n",
    ),
    (
        "asyncio/loop-policy",
        "removed",
        "import asyncio\n\
         print('#1' if hasattr(asyncio, 'ThreadedChildWatcher') else '#2')\n",
    ),
    ("asyncio/no-current-loop", "without", WITHOUT_LOOP),
    (
        "asyncio/queue",
        "shutdown",
        "import asyncio\n\
         print('#2' if hasattr(asyncio.Queue, 'shutdown') else '#1')\n",
    ),
    (
        "asyncio/wait",
        "coroutines",
        "import asyncio, warnings\n\
         warnings.simplefilter('ignore')\n\
         async def work(): pass\n\
         async def main():\n\
         \x20   made = work()\n\
         \x20   try:\n\
         \x20       await asyncio.wait([made])\n\
         \x20       print('#1')\n\
         \x20   except TypeError:\n\
         \x20       made.close()\n\
         \x20       print('#2')\n\
         asyncio.run(main())\n",
    ),
    (
        "asyncio/wait-for",
        "own_task",
        "import asyncio\n\
         async def inner(): return asyncio.current_task()\n\
         async def main():\n\
         \x20   print('#2' if await asyncio.wait_for(inner(), 1) is asyncio.current_task() else '#1')\n\
         asyncio.run(main())\n",
    ),
    (
        "attributes/class-cell",
        "early",
        "class Base:\n\
         \x20   def value(self): return 1\n\
         class Child(Base):\n\
         \x20   def values(self):\n\
         \x20       return [super().value() for _ in range(2)]\n\
         try:\n\
         \x20   print('#2' if Child().values() == [1, 1] else '#1')\n\
         except TypeError:\n\
         \x20   print('#1')\n",
    ),
    (
        "descriptors/cached-property",
        "locking",
        "import functools\n\
         print('#1' if hasattr(functools.cached_property(len), 'lock') else '#2')\n",
    ),
    (
        "descriptors/classmethod",
        "reading",
        "class Thing:\n\
         \x20   @classmethod\n\
         \x20   @property\n\
         \x20   def size(cls): return 1\n\
         print('#1' if Thing.size == 1 else '#2')\n",
    ),
    (
        "memory/getrefcount",
        "fixed",
        "import sys\n\
         print('#2' if sys.getrefcount(None) > 2**30 else '#1')\n",
    ),
    (
        "memory/getrefcount",
        "lends",
        "import sys\n\
         def count():\n\
         \x20   thing = object()\n\
         \x20   return sys.getrefcount(thing)\n\
         print('#2' if count() == 1 else '#1')\n",
    ),
    (
        "memory/refcount-compared",
        "lends",
        "import sys\n\
         def count():\n\
         \x20   thing = object()\n\
         \x20   return sys.getrefcount(thing)\n\
         print('#2' if count() == 1 else '#1')\n",
    ),
    (
        "metaclasses/annotations-attribute",
        "before",
        "class Base:\n\
         \x20   size: int\n\
         class Child(Base): pass\n\
         print('#1' if Child.__annotations__ else '#2')\n",
    ),
    (
        "metaclasses/annotations-attribute",
        "early",
        "import typing\n\
         def cut(width: int = None): ...\n\
         print('#2' if typing.get_type_hints(cut)['width'] is int else '#1')\n",
    ),
    (
        "metaclasses/annotations-attribute",
        "older",
        "class Base:\n\
         \x20   size: int\n\
         print('#1' if hasattr(Base(), '__annotations__') else '#2')\n",
    ),
    (
        "metaclasses/dataclass-slots",
        "broken",
        "import dataclasses\n\
         try:\n\
         \x20   @dataclasses.dataclass(slots=True)\n\
         \x20   class Thing:\n\
         \x20       size: int = 0\n\
         \x20       def told(self): return super().__repr__()\n\
         \x20   try:\n\
         \x20       Thing().told()\n\
         \x20       print('#3')\n\
         \x20   except TypeError:\n\
         \x20       print('#2')\n\
         except TypeError:\n\
         \x20   print('#1')\n",
    ),
    (
        "metaclasses/dataclass-slots",
        "weak",
        "import dataclasses, inspect\n\
         names = inspect.signature(dataclasses.dataclass).parameters\n\
         print('#3' if 'weakref_slot' in names else '#2' if 'slots' in names else '#1')\n",
    ),
    (
        "metaclasses/enum-alias",
        "left_out",
        "import enum\n\
         class Access(enum.Flag):\n\
         \x20   READ = 1\n\
         \x20   WRITE = 2\n\
         \x20   BOTH = 3\n\
         print('#1' if Access.BOTH in list(Access) else '#2')\n",
    ),
    (
        "metaclasses/protocol-check",
        "way",
        "import typing\n\
         @typing.runtime_checkable\n\
         class Sized(typing.Protocol):\n\
         \x20   size: int\n\
         asked = []\n\
         class Thing:\n\
         \x20   @property\n\
         \x20   def size(self): asked.append(1)\n\
         isinstance(Thing(), Sized)\n\
         print('#1' if asked else '#2')\n",
    ),
    (
        "processes/no-main-guard",
        "methods",
        "import multiprocessing\n\
         print('#1' if multiprocessing.get_start_method() == 'fork' else '#2')\n",
    ),
    (
        "processes/shared-memory",
        "track",
        "import inspect\n\
         from multiprocessing.shared_memory import SharedMemory\n\
         print('#2' if 'track' in inspect.signature(SharedMemory).parameters else '#1')\n",
    ),
    (
        "metaclasses/enum-auto",
        "counted",
        "import enum, warnings\n\
         with warnings.catch_warnings(record=True) as seen:\n\
         \x20   warnings.simplefilter('always')\n\
         \x20   class Falling(enum.Enum):\n\
         \x20       HIGH = 5\n\
         \x20       LOW = 2\n\
         \x20       NEXT = enum.auto()\n\
         print('#2' if seen else '#1' if Falling.NEXT.value == 3 else '#3')\n",
    ),
    (
        "metaclasses/enum-auto",
        "passed_over",
        "import enum, warnings\n\
         warnings.simplefilter('ignore')\n\
         try:\n\
         \x20   class Behind(enum.Enum):\n\
         \x20       ONE = 1\n\
         \x20       TEXT = 'text'\n\
         \x20       NEXT = enum.auto()\n\
         \x20   print('#1' if Behind.NEXT.value == 2 else '#3')\n\
         except TypeError:\n\
         \x20   print('#2')\n",
    ),
    (
        "metaclasses/enum-class",
        "contains",
        "import enum, warnings\n\
         warnings.simplefilter('ignore')\n\
         class One(enum.Enum):\n\
         \x20   ONE = 1\n\
         try:\n\
         \x20   print('#2' if 1 in One else '#3')\n\
         except TypeError:\n\
         \x20   print('#1')\n",
    ),
    (
        "metaclasses/narrow-check",
        "unions",
        "import types, typing\n\
         print('#2' if typing.get_origin(typing.Optional[int]) is getattr(types, 'UnionType', None) else '#1')\n",
    ),
    ("metaclasses/partial", "bound", PARTIAL_IN_CLASS),
    ("metaclasses/partial", "unbound", PARTIAL_IN_CLASS),
    (
        "processes/process",
        "linux_default",
        "import multiprocessing\n\
         print('#1' if multiprocessing.get_start_method() == 'fork' else '#2')\n",
    ),
    (
        "threads/executor-map",
        "all_read",
        "import concurrent.futures as c, inspect\n\
         print('#2' if 'buffersize' in inspect.signature(c.Executor.map).parameters else '#1')\n",
    ),
    (
        "threads/unlocked-change",
        "close",
        "import sys, threading\n\
         sys.setswitchinterval(1e-5)\n\
         total = 0\n\
         def add():\n\
         \x20   global total\n\
         \x20   for _ in range(50_000):\n\
         \x20       total += 1\n\
         def lost():\n\
         \x20   global total\n\
         \x20   total = 0\n\
         \x20   threads = [threading.Thread(target=add) for _ in range(2)]\n\
         \x20   for thread in threads: thread.start()\n\
         \x20   for thread in threads: thread.join()\n\
         \x20   return total < 100_000\n\
         print('#1' if any(lost() for _ in range(20)) else '#2')\n",
    ),
    (
        "weakref/weak-set",
        "waits",
        "import weakref\n\
         class Part: pass\n\
         parts = [Part(), Part()]\n\
         held = weakref.WeakSet(parts)\n\
         loop = iter(held)\n\
         next(loop)\n\
         parts.clear()\n\
         print('#1' if len(held.data) == 2 else '#2')\n",
    ),
];
