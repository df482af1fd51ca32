-- A program on each of eight topics: what a person reads there, and no word out of place.
local t = require('lib')

--- The codes of the hazards of the current buffer, once `count` are there.
local function hazards(count)
  t.wait(count .. ' hazards', function()
    return #vim.diagnostic.get(0) == count
  end)
  local codes = vim.tbl_map(function(diagnostic)
    return diagnostic.code
  end, vim.diagnostic.get(0))
  table.sort(codes)
  return codes
end

--- Hovers at `text`, `into` bytes after its start.
local function says(text, into, parts)
  t.go(text, into)
  t.contains(t.hover(), parts, text)
end

t.open('topics/counting.py')
t.client()
says('bookmark = page', 0, { 'another name for the `Page`', 'nothing is copied' })
says('second.following = first', 7, { '`first.following`', 'cycle' })
says('del bookmark', 0, { 'still held by `page`' })
t.equal(hazards(0), {})

t.open('topics/measuring.py')
says('tracemalloc.start()', 12, { 'one frame' })
says('lines = fill', 0, { 'memory in use, not a leak' })

t.open('topics/plugins.py')
says('class JsonExporter', 6, { '`Plugin` builds `JsonExporter`', 'inherited from `Exporter`' })
t.equal(t.hints(t.go('class JsonExporter')), { 'metaclass Plugin' })
says('mcls.known[', 5, { '`Exporter`, `JsonExporter`, `PlainExporter`' })
says('"format" in namespace', 3, { '`PlainExporter`' })

t.open('topics/proxies.py')
says('settings.size)', 9, { 'Settings.__getattr__' })

t.open('topics/downloads.py')
t.equal(hazards(2), { 'asyncio/blocking-call', 'asyncio/task-not-kept' })
t.equal(t.hints(t.go('tasks = [download')), { 'coroutines, not started' })
says('asyncio.gather', 9, { '`tasks`', 'first exception' })
t.go('asyncio.create_task')
t.act('Keep the task in a set until it is done')
t.wait('the edit', function()
  return t.text():find('add_done_callback', 1, true)
end)
t.equal(hazards(1), { 'asyncio/blocking-call' })
vim.cmd.write()
local run = vim.system({ 'python3', '-W', 'error', 'topics/downloads.py' }, { text = true }):wait(60000)
t.equal({ run.code, run.stdout:sub(1, 8) }, { 0, 'begin a\n' }, run.stderr)

t.open('topics/workers.py')
local skippable = t.diagnostic('threads/task-done-skippable')
t.equal(#skippable.user_data.lsp.relatedInformation, 2)
says('threading.Thread(', 10, { '`work`', 'start()' })
says('jobs.get()', 5, { 'Items come from' })

-- Weak references and descriptors have programs of their own: sessions.py and thermometer.py.
t.open('sessions.py')
t.equal(hazards(1), { 'weakref/defeated' })
says('weakref.ref(', 9, { '`self._open[token]`' })
t.equal(t.messages, {})
