-- Settings of vim.lsp.config count, and so do others that are told of later; the project's file counts more.
-- env: SETTINGS={"hover": {"verbosity": "brief"}, "inlayHints": {"descriptors": {"enable": false}}, "diagnostics": {"severity": {"asyncio/blocking-call": "error"}}}
local t = require('lib')
t.open('poll.py')
local client = t.client()
t.equal(t.diagnostic('asyncio/blocking-call').severity, vim.diagnostic.severity.ERROR)
t.open('thermometer.py')
t.go('outside.celsius = 35', 9)
local brief = t.hover()
t.contains(brief, 'Checked.__set__')
assert(not brief:find('\n- ', 1, true), brief)
t.equal(vim.lsp.inlay_hint.get({ bufnr = 0 }), {})

client.settings = { dunderstand = { inlayHints = { descriptors = { enable = true } } } }
client:notify('workspace/didChangeConfiguration', { settings = client.settings })
t.equal(t.hints(t.go('outside.celsius = 35', 9)), { '→ Checked.__set__' })
assert(#t.hover() > #brief, 'a full hover')

vim.fn.writefile({ '[tool.dunderstand]', 'hover.verbosity = "brief"' }, 'pyproject.toml')
client:notify('workspace/didChangeWatchedFiles', { changes = { { uri = vim.uri_from_fname(vim.uv.cwd() .. '/pyproject.toml'), type = 2 } } })
t.wait('a brief hover', function()
  return t.hover() == brief
end)
t.equal(t.messages, {})
