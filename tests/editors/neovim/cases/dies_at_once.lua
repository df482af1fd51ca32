-- A program that ends as soon as it is started: one clear message, and it is not started over and over.
-- env: CMD=["/bin/sh","-c","exit 3"]
local t = require('lib')
t.open('poll.py')
t.wait('a message of ours', function()
  return t.told('ended before it was ready') > 0
end)
t.equal(t.told('ended before it was ready (exit code 3)'), 1, vim.inspect(t.messages))
t.open('sessions.py')
vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# edited' })
vim.cmd.write()
t.contains(t.on_disk('sessions.py'), '# edited')
vim.wait(300)
t.equal(t.told('ended before it was ready'), 1, vim.inspect(t.messages))
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), { 'ERROR', '`/bin/sh --version` does not answer as dunderstand does' })
