-- `:Dunderstand`: completion, explanations with links, concepts, what is said where there is nothing.
local t = require('lib')
local d = require('dunderstand')
t.equal(d.complete('', 'Dunderstand '), { 'concepts', 'explain', 'related', 'restart' })
t.equal(d.complete('con', 'Dunderstand con'), { 'concepts' })
assert(vim.tbl_contains(d.complete('asyncio/', 'Dunderstand explain asyncio/'), 'asyncio/blocking-call'))
vim.cmd('Dunderstand explain asyncio/await')
t.contains(t.text(), 'no server is running')
vim.cmd.bwipeout()

local buffer = t.open('poll.py')
t.client()
t.diagnostic('asyncio/blocking-call')

-- An explanation of what is under the cursor; where several concepts meet, it is asked which.
local offered
vim.ui.select = function(items, options, choose)
  offered = vim.tbl_map(options.format_item, items)
  choose(items[1])
end
t.go('time.sleep')
vim.cmd('Dunderstand explain')
t.contains(vim.api.nvim_buf_get_name(0), 'dunderstand://asyncio/')
t.equal({ vim.bo.filetype, vim.bo.buftype, vim.bo.modifiable }, { 'markdown', 'nofile', false })
t.contains(t.text(), { '# ', '## Sources' })
t.contains(t.text(), '## See also')

-- `<CR>` on another page's id opens it in the same window, and `<C-o>` leads back.
local window, name = vim.api.nvim_get_current_win(), vim.api.nvim_buf_get_name(0)
t.go('## See also')
vim.cmd('normal! jj0')
vim.fn.search('[a-z-]\\+/[a-z-]\\+', 'c', vim.fn.line('.'))
vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'mtx', false)
assert(vim.api.nvim_buf_get_name(0) ~= name, 'another page')
t.equal(vim.api.nvim_get_current_win(), window)
t.contains(t.text(), '## Sources')
vim.api.nvim_feedkeys(vim.keycode('<C-o>'), 'mtx', false)
t.equal(vim.api.nvim_buf_get_name(0), name)
vim.cmd.close()

-- An id that names no page.
vim.cmd('Dunderstand explain asyncio/nothing')
t.contains(t.text(), 'There is no page `asyncio/nothing`')
vim.cmd.close()

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
t.equal(t.told('no command `nonsense`; there are concepts, explain'), 1)

-- Another server, on demand.
local client = t.client()
vim.cmd('Dunderstand restart')
t.wait('another server', function()
  local now = vim.lsp.get_clients({ name = 'dunderstand', bufnr = buffer })[1]
  return now ~= nil and now.id ~= client.id and now.initialized
end)
