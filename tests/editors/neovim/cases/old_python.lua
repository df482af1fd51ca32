-- A project on a Python older than the pages describe: one clear message, hovers and diagnostics come.
-- env: VENV=3.8
local t = require('lib')
t.open('thermometer.py')
t.client()
t.go('outside.celsius = 35', 9)
t.contains(t.hover(), 'Checked.__set__')
t.open('poll.py')
t.diagnostic('asyncio/blocking-call')
t.equal(#t.messages, 1, vim.inspect(t.messages))
t.contains(t.messages[1], { 'is 3.8', 'explained as Python 3.9' })
