-- Two type checkers and this server in one editor: all three are in the hover, each hazard is told by its own server once, and
-- a fix is applied and saved.
-- env: TY
-- env: BASEDPYRIGHT
local t = require('lib')
t.open('thermometer.py')
for _, name in ipairs({ 'ty', 'basedpyright', 'dunderstand' }) do
  t.client(name)
end
t.go('outside.celsius = 35', 9)
vim.lsp.buf.hover()
t.wait('three in one hover', function()
  local text = t.float()
  return text and text:find('Checked.__set__', 1, true) and text:find('# ty', 1, true)
    and text:find('# basedpyright', 1, true) and text:find('# dunderstand', 1, true)
end)
local text, window = t.float()
local _, ours = text:gsub('Checked%.__set__%(', '')
assert(ours >= 1, text)
vim.api.nvim_win_close(window, true)

t.open('poll.py')
t.client()
vim.api.nvim_buf_set_lines(0, -1, -1, false, { 'wrong: int = "text"' })
local function sources()
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    local source = (diagnostic.source or ''):lower()
    found[source] = (found[source] or 0) + 1
  end
  return found
end
t.wait('hazards of all three', function()
  local found = sources()
  return found.ty and found.basedpyright and found.dunderstand
end)
t.equal(sources().dunderstand, 1)
t.go('time.sleep')
t.act('asyncio.sleep')
t.wait('the edit', function()
  return t.text():find('        await asyncio.sleep(0.1)', 1, true)
end)
t.wait('no hazard of ours', function()
  return not sources().dunderstand
end)
vim.cmd.write()
t.contains(t.on_disk('poll.py'), '        await asyncio.sleep(0.1)')
for _, message in ipairs(t.messages) do
  assert(not message:find('dunderstand', 1, true), message)
end
