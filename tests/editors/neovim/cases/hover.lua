-- A hover names what runs at this place; it is short, and its first line is about this code.
local t = require('lib')
t.open('thermometer.py')
t.client()
t.go('outside.celsius = 35', 9)
local text = t.hover()
t.contains(text, { 'Checked.__set__', 'outside', 'celsius' }, 'hover')
assert(#vim.split(text, '\n') <= 14, 'a hover is short:\n' .. text)
