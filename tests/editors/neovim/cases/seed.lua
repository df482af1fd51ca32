-- Eight example programs beside the project, where they are present: hovers, hints, hazards, and no word out of place.
local t = require('lib')
local folder = vim.env.SEED
if folder == nil then
  print('no example programs beside the project')
  return
end

--- Opens a program of the folder by the start of its name.
local function open(start)
  local path = vim.fn.glob(vim.fs.joinpath(folder, start .. '*.py'))
  assert(path ~= '', start)
  t.open(path)
  t.client()
end

for number = 1, 8 do
  open(('%02d'):format(number))
end
open('01')
t.go('lst2 = lst', 0)
t.contains(t.hover(), { '`lst2`', 'nothing is copied' })
open('02')
local found = t.diagnostic('weakref/defeated')
t.contains(found.message, 'self._cache[key]')
assert(#found.user_data.lsp.relatedInformation > 0)
t.go('obj = None')
t.contains(t.hover(), { 'still held by `cache._cache["key1"]`' })
open('03')
t.go('large_list = allocate_memory()')
t.contains(t.hover(), { '`snapshot2`', 'not a leak' })
open('04')
local line = t.go('person.age = "thirty"', 8)
t.contains(t.hover(), { 'TypedProperty.__set__', 'thirty', 'TypeError' })
t.equal(t.hints(line), { '→ TypedProperty.__set__' })
open('05')
line = t.go('class UserService', 8)
t.contains(t.hover(), { 'ServiceMeta', 'UserService' })
t.equal(t.hints(line), { 'metaclass ServiceMeta' })
found = t.diagnostic('metaclasses/own-namespace-check')
assert(#found.user_data.lsp.relatedInformation > 1)
open('06')
t.go('def __getattr__', 6)
t.contains(t.hover(), { '__getattr__', 'only after normal lookup has failed' })
open('07')
t.go('[fetch_data', 3)
t.contains(t.hover(), 'fetch_data')
t.diagnostic('asyncio/gather-leaves-siblings')
open('08')
t.go('class Worker', 6)
t.contains(t.hover(), { '`start()` runs `Worker.run`', 'new thread' })
t.equal(t.messages, {})
