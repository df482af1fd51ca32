-- `:Dunderstand`: completion, explanations with links, concepts, what is said where there is nothing.
local t = require('lib')
local d = require('dunderstand')
t.equal(d.complete('', 'Dunderstand '), { 'async', 'concepts', 'explain', 'related', 'restart' })
t.equal(d.complete('con', 'Dunderstand con'), { 'concepts' })
assert(vim.tbl_contains(d.complete('asyncio/', 'Dunderstand explain asyncio/'), 'asyncio/blocking-call'))
vim.cmd('Dunderstand explain asyncio/await')
t.contains(t.text(), 'no server is running')
vim.cmd.bwipeout()

local buffer = t.open('poll.py')
t.client()
t.diagnostic('asyncio/blocking-call')

-- An explanation of what is under the cursor, about this code.
t.go('time.sleep')
vim.cmd('Dunderstand explain')
t.equal(vim.api.nvim_buf_get_name(0), 'dunderstand://asyncio/blocking-call')
t.equal({ vim.bo.filetype, vim.bo.buftype, vim.bo.modifiable }, { 'markdown', 'nofile', false })
t.contains(t.text(), { '# ', 'time.sleep', '## Sources', '## In poll.py', '](dunderstand:' })

-- `<CR>` on a link to a page opens it in the same window, and `<C-o>` leads back.
local function press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'mtx', false)
end
local window, name = vim.api.nvim_get_current_win(), vim.api.nvim_buf_get_name(0)
local column
for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
  column = line:find('](dunderstand:', 1, true)
  if column then
    vim.api.nvim_win_set_cursor(0, { number, column - 2 })
    break
  end
end
press('<CR>')
assert(vim.api.nvim_buf_get_name(0) ~= name, 'another page')
t.contains(vim.api.nvim_buf_get_name(0), 'dunderstand://')
t.equal(vim.api.nvim_get_current_win(), window)
t.contains(t.text(), '# ')
press('<C-o>')
t.equal(vim.api.nvim_buf_get_name(0), name)

-- `gf` on a link to the code leads there, in the window that shows it.
local line = t.go('[line ', 2)
press('gf')
t.equal(vim.api.nvim_get_current_buf(), buffer)
t.contains(vim.api.nvim_get_current_line(), 'time.sleep')
vim.api.nvim_set_current_win(window)
t.equal(vim.api.nvim_win_get_cursor(0)[1], line)
press('q')

-- By words, by an id that names no page, by nothing where there is nothing.
vim.cmd('Dunderstand explain blocking call')
t.contains(t.text(), 'event loop')
vim.cmd.close()
vim.cmd('Dunderstand explain asyncio/nothing')
t.contains(t.text(), { 'Nothing to show', 'asyncio/nothing' })
vim.cmd.close()
t.go('import asyncio')
vim.cmd('Dunderstand explain')
t.equal(t.told('nothing to explain here'), 1)
t.messages = {}

-- Concepts of the workspace, then of this file.
t.equal(vim.api.nvim_get_current_buf(), buffer)
vim.cmd('Dunderstand concepts')
local all = vim.fn.getqflist()
local files = {}
for _, item in ipairs(all) do
  files[vim.fn.bufname(item.bufnr)] = true
end
for _, file in ipairs({ 'poll.py', 'thermometer.py', 'sessions.py', 'shop/checkout.py' }) do
  assert(files[file], 'no concept in ' .. file .. ': ' .. vim.inspect(files))
end
vim.cmd.cclose()
vim.cmd('Dunderstand! concepts')
local own = vim.fn.getqflist()
assert(#own > 0 and #own < #all)
for _, item in ipairs(own) do
  t.equal(vim.fn.bufname(item.bufnr), 'poll.py')
end
vim.cmd.cclose()

t.equal(t.messages, {})
t.go('import asyncio')
vim.cmd('Dunderstand related')
t.equal(t.told('no other places belong to this line'), 1)
vim.cmd('Dunderstand nonsense')
t.equal(t.told('no command `nonsense`; there are async, concepts, explain'), 1)

-- Another server, on demand.
local client = t.client()
vim.cmd('Dunderstand restart')
t.wait('another server', function()
  local now = vim.lsp.get_clients({ name = 'dunderstand', bufnr = buffer })[1]
  return now ~= nil and now.id ~= client.id and now.initialized
end)
