-- No Python on the machine: one clear message, and the standard library is explained all the same.
-- env: PATH=/nowhere
local t = require('lib')
t.open('poll.py')
t.client()
t.diagnostic('asyncio/blocking-call')
t.go('time.sleep')
t.contains(t.hover(), 'time.sleep')
t.equal(#t.messages, 1, vim.inspect(t.messages))
t.contains(t.messages[1], "Python")
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), 'no Python found')
