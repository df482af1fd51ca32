-- A server that is killed comes back by itself; what was typed meanwhile is kept, and known to the new one.
local t = require('lib')
t.open('poll.py')
local first = t.client()
t.diagnostic('asyncio/blocking-call')
for round = 1, 2 do
  local client = t.client()
  local servers = t.servers()
  t.equal(#servers, 1, 'servers')
  local buffer = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { '', '', ('async def other_%d():'):format(round), '    time.sleep(1)' })
  local text = t.text()
  vim.uv.kill(servers[1], 'sigkill')
  t.wait('another server', function()
    local now = vim.lsp.get_clients({ name = 'dunderstand', bufnr = buffer })[1]
    return now ~= nil and now.id ~= client.id and now.initialized
  end)
  t.equal(t.text(), text, 'the buffer')
  assert(vim.bo[buffer].modified, 'the buffer is still modified')
  t.wait('diagnostics from the new server', function()
    return #vim.diagnostic.get(buffer) == 1 + round
  end)
  t.go('time.sleep')
  t.contains(t.hover(), 'time.sleep')
end
assert(t.client().id ~= first.id)

-- One that was stopped on purpose stays down.
vim.lsp.enable('dunderstand', false)
t.wait('no server', function()
  return #t.servers() == 0 and #vim.lsp.get_clients({ name = 'dunderstand' }) == 0
end)
