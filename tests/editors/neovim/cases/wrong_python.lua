-- The setting names a Python that is not there: one clear message; everything that needs no packages works.
-- env: SETTINGS={"python": "/nowhere/python"}
local t = require('lib')
t.open('poll.py')
t.client()
t.diagnostic('asyncio/blocking-call')
t.equal(t.told('/nowhere/python does not exist'), 1, vim.inspect(t.messages))
t.contains(t.messages[1], '`dunderstand.python`')
t.open('thermometer.py')
t.go('outside.celsius = 35', 9)
t.contains(t.hover(), 'Checked.__set__')
t.equal(#t.messages, 1, vim.inspect(t.messages))
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), '/nowhere/python does not exist')
