-- Buffers that were hidden when the server came, or came again, show their hazards as soon as they are shown.
local t = require('lib')
vim.o.hidden = true
local poll = t.open('poll.py')
t.open('sessions.py')
t.open('thermometer.py')
t.client()
t.open('sessions.py')
t.diagnostic('weakref/defeated')
vim.cmd.buffer(poll)
t.diagnostic('asyncio/blocking-call')

local client = t.client()
vim.cmd.edit('sessions.py')
vim.uv.kill(t.servers()[1], 'sigkill')
t.wait('another server for the hidden buffer', function()
  local now = vim.lsp.get_clients({ name = 'dunderstand', bufnr = poll })[1]
  return now ~= nil and now.id ~= client.id and now.initialized
end)
t.diagnostic('weakref/defeated')
vim.cmd.buffer(poll)
t.diagnostic('asyncio/blocking-call')
t.equal(#vim.diagnostic.get(poll), 1, 'no diagnostic of the server that died')
