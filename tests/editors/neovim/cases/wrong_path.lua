-- A path that leads nowhere: one clear message that says where to mend it.
-- env: CMD=["/nowhere/dunderstand","server"]
local t = require('lib')
t.open('poll.py')
t.wait('a message', function()
  return #t.messages > 0
end)
t.open('sessions.py')
vim.wait(50)
t.equal(#t.messages, 1, vim.inspect(t.messages))
t.contains(t.messages[1], { '/nowhere/dunderstand is no program that can be run', 'vim.lsp.config("dunderstand"' })
