-- A diagnostic carries the places that belong to it; `:Dunderstand related` lists them.
local t = require('lib')
local buffer = t.open('sessions.py')
t.client()
local found = t.diagnostic('weakref/defeated')
t.equal(found.source, 'dunderstand')
t.equal(found.lnum + 1, t.go('self._open[token] = session'), 'line')
local related = vim.tbl_get(found, 'user_data', 'lsp', 'relatedInformation')
assert(related and #related > 0, vim.inspect(found))
vim.cmd('Dunderstand related')
local list = vim.fn.getloclist(0)
t.equal(#list, #related)
local line = vim.api.nvim_buf_get_lines(buffer, list[1].lnum - 1, list[1].lnum, true)[1]
t.contains(line, 'weakref.ref(session')
