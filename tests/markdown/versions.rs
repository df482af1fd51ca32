//! Facts that the target Python decides: each interpreter is asked for what the page says of it.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::interpreters::INTERPRETERS;
use crate::project::{SHARED, write};

/// A page, a fact of its `[versions]`, and a program that prints what is true: the fact's text, or nothing where it is missing.
const FACTS: &[(&str, &str, &str)] = &[
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
];

/// The minor version of the oldest Python.
const OLDEST: u8 = 9;

/// What `asyncio.get_event_loop()` does where no loop is set.
const WITHOUT_LOOP: &str = "import asyncio, warnings\n\
         with warnings.catch_warnings(record=True) as seen:\n\
         \x20   warnings.simplefilter('always')\n\
         \x20   try:\n\
         \x20       asyncio.get_event_loop()\n\
         \x20       print('#2' if any('loop' in str(one.message) for one in seen) else '#1')\n\
         \x20   except RuntimeError:\n\
         \x20       print('#3')\n";

/// As [`FACTS`], where the fact is a sentence: the program prints `#1` where the page's first text is true, `#2` where the second is.
const SENTENCES: &[(&str, &str, &str)] = &[
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
        "processes/process",
        "linux_default",
        "import multiprocessing\n\
         print('#1' if multiprocessing.get_start_method() == 'fork' else '#2')\n",
    ),
    (
        "threads/gil",
        "free_threaded",
        "import sys\n\
         print('#2' if hasattr(sys, '_is_gil_enabled') else '#1')\n",
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

/// Each fact is what each interpreter prints, and most differ between those at hand.
pub fn facts() -> Outcome {
    let mut problems = vec![];
    let mut differing = 0;
    for (index, (id, fact, program)) in FACTS.iter().enumerate() {
        let page = SHARED.store.page(id).ok_or_else(|| format!("there is no page `{id}`"))?;
        let path = SHARED.root().join(format!("versions/fact{index}.py"));
        write(&path, program);
        let mut said = BTreeSet::new();
        for interpreter in INTERPRETERS.iter() {
            let mut facts = page.version_facts(interpreter.version);
            let expected = facts.find(|(name, _)| name == fact).map_or("", |(_, text)| text).to_string();
            // Between two patch releases the page says nothing.
            let is_silent = *fact == "threshold" && expected.is_empty();
            let run = interpreter.run(&path);
            let printed = run.stdout.first().cloned().unwrap_or_default();
            if !is_silent && printed != expected {
                problems
                    .push(format!("{id}: `{fact}` is {expected:?} for {}, which says {printed:?}", interpreter.exact));
            }
            said.insert(expected);
        }
        differing += usize::from(said.len() > 1);
    }
    for (index, (id, fact, program)) in SENTENCES.iter().enumerate() {
        let page = SHARED.store.page(id).ok_or_else(|| format!("there is no page `{id}`"))?;
        let path = SHARED.root().join(format!("versions/sentence{index}.py"));
        write(&path, program);
        let text =
            |minor: u8| page.version_facts((3, minor)).find(|(name, _)| name == fact).map(|(_, text)| text.to_string());
        for interpreter in INTERPRETERS.iter() {
            let changes = (OLDEST + 1..=interpreter.version.1).filter(|minor| text(*minor) != text(*minor - 1)).count();
            let expected = format!("#{}", changes + 1);
            let run = interpreter.run(&path);
            let printed = run.stdout.first().cloned().unwrap_or_default();
            if printed != expected {
                problems
                    .push(format!("{id}: `{fact}` is {expected} for {}, which says {printed:?}", interpreter.exact));
            }
        }
    }
    // Some differ only from an interpreter on that need not be at hand.
    if INTERPRETERS.len() > 4 && differing < FACTS.len() / 2 {
        problems.push(format!("only {differing} facts differ between the interpreters at hand"));
    }
    let tried = |id: &str| FACTS.iter().chain(SENTENCES).any(|(tried, ..)| *tried == id);
    for page in SHARED.store.pages().filter(|page| page.version_facts((3, OLDEST)).next().is_some()) {
        if !tried(&page.id) {
            problems.push(format!("{}: no program tries what its `[versions]` say", page.id));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}
