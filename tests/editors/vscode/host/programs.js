// What is to be seen in the programs: at each place a hover, and in some a hint or a diagnostic with the places that belong to it.
// A place is a piece of the text with `|` in it.

/** The programs of this project. */
exports.OURS = [
  { file: "work/counts.py", at: "sys.|getrefcount(basket)", hover: /The count of `basket` comes out as 2/ },
  { file: "work/counts.py", at: "|gift = None", hover: /still held by `basket`/ },
  { file: "work/growth.py", at: "tracemalloc.|start()", hover: /recorded with one frame/ },
  { file: "work/sessions.py", at: "weakref.|ref(", hover: /`session`/, code: "weakref/defeated", related: ["weakref.ref("] },
  { file: "work/thermometer.py", at: "outside.|celsius = 35", hover: /calls `Checked\.__set__\(/, hint: "→ Checked.__set__" },
  { file: "work/plugins.py", at: "class |Mail", hover: /PluginMeta/ },
  { file: "work/plugins.py", at: '|"needs" in namespace', hover: /`needs`/, code: "metaclasses/own-namespace-check", related: ['needs = ["title"]', "class Mail"] },
  { file: "work/record.py", at: "def |__getattr__", hover: /every name exists/, code: "attributes/getattr-answers-all" },
  { file: "work/gathered.py", at: "asyncio.|gather", hover: /Runs all of `waiting` concurrently/ },
  { file: "work/gathered.py", at: "|load(name) for", hover: /none of its body has run/, hint: "coroutines, not started" },
  { file: "work/workers.py", at: "self.jobs.|get(", hover: /Blocks the thread that runs `Worker\.run`/ },
  { file: "work/workers.py", at: "except queue.|Empty", hover: /A pause of .* ends this worker/, code: "threads/empty-means-done" },
];

/** The example programs that may stand beside the project. */
exports.SEED = [
  { file: "seed/01_reference_counting_and_garbage_collection.py", at: "sys.|getrefcount(", hover: /`lst`/ },
  { file: "seed/02_weak_references.py", at: "self._cache[key] |= value", code: "weakref/defeated", related: ["weakref.ref("] },
  { file: "seed/03_memory_profiling.py", at: "tracemalloc.|start()", hover: /one frame/ },
  { file: "seed/04_descriptors.py", at: 'person.|age = "thirty"', hover: /TypedProperty\.__set__[^]*TypeError/, hint: "→ TypedProperty.__set__" },
  { file: "seed/05_metaclasses.py", at: "class |UserService", hover: /ServiceMeta/, code: "metaclasses/own-namespace-check", related: ["class BrokenService"] },
  { file: "seed/06_dynamic_attribute_access.py", at: "def |__getattr__", hover: /every name exists/, code: "attributes/getattr-answers-all" },
  { file: "seed/07_asynchronous_programming_with_asyncio.py", at: "[|fetch_data", hover: /fetch_data/, code: "asyncio/gather-leaves-siblings" },
  { file: "seed/08_thread_based_concurrency.py", at: "self.task_queue.|get(", hover: /Blocks the thread/ },
];
