-- No such program on PATH: one clear message, however many files are opened, and editing goes on.
-- env: CMD=["dunderstand-of-nowhere","server"]
local t = require('lib')
t.open('poll.py')
t.wait('a message', function()
  return #t.messages > 0
end)
vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# edited' })
vim.cmd.write()
t.open('sessions.py')
t.open('thermometer.py')
vim.wait(50)
t.equal(#t.messages, 1, vim.inspect(t.messages))
t.contains(t.messages[1], { '`dunderstand-of-nowhere` is not on PATH', 'Install it', ':checkhealth dunderstand' })
t.contains(t.on_disk('poll.py'), '# edited')
vim.cmd('Dunderstand explain asyncio/await')
t.contains(t.text(), 'no server is running')
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), { '`dunderstand-of-nowhere` is not on PATH', 'ERROR', 'cargo install --path .' })
