-- A type checker in the same editor: both are shown, neither repeats the other.
-- env: TY
local t = require('lib')
t.open('thermometer.py')
t.client('ty')
t.client('dunderstand')
t.go('outside.celsius = 35', 9)
vim.lsp.buf.hover()
t.wait('both in one hover', function()
  local text = t.float()
  return text and text:find('Checked.__set__', 1, true) and text:find('# ty', 1, true) and text:find('# dunderstand', 1, true)
end)
