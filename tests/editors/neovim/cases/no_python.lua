-- No Python on the machine: the standard library is explained all the same.
-- env: PATH=/nowhere
local t = require('lib')
t.open('poll.py')
t.client()
t.diagnostic('asyncio/blocking-call')
t.go('time.sleep')
t.contains(t.hover(), 'time.sleep')
assert(#t.messages <= 1, vim.inspect(t.messages))
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), 'no Python found')
