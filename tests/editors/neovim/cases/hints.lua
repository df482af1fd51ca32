-- Hints stand where an assignment calls a descriptor and where it is told where the value goes; nowhere else in this file.
local t = require('lib')
t.open('thermometer.py')
t.client()
t.equal(t.hints(t.go('outside.celsius = 35')), { '→ Checked.__set__' }, 'hint')
t.equal(t.hints(t.go('self.celsius = celsius')), { '→ Checked.__set__' }, 'hint')
t.equal(t.hints(t.go('celsius = Checked')), { 'stored as _celsius' }, 'hint')
t.equal(#vim.lsp.inlay_hint.get({ bufnr = 0 }), 3, 'hints')
