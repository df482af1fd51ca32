-- `:checkhealth dunderstand` where all is well, and the help file.
local t = require('lib')
vim.cmd('checkhealth dunderstand')
t.contains(t.text(), 'no server is running')
t.open('poll.py')
t.client()
vim.cmd('checkhealth dunderstand')
local text = t.text()
t.contains(text, { 'OK Neovim', 'OK dunderstand ', 'OK running for 1 buffer in', 'Python from' })
assert(not text:find('ERROR', 1, true) and not text:find('WARNING', 1, true), text)
vim.cmd('help dunderstand')
t.contains(vim.api.nvim_buf_get_name(0), 'doc/dunderstand.txt')
for _, topic in ipairs({ ':Dunderstand', 'dunderstand-explain', 'dunderstand-concepts', 'dunderstand-async', 'dunderstand-health' }) do
  vim.cmd('help ' .. topic)
  t.contains(vim.api.nvim_buf_get_name(0), 'doc/dunderstand.txt', topic)
end

-- Every reference of the help file leads somewhere.
vim.cmd('help dunderstand')
local references = 0
for reference in t.text():gmatch('|([^|%s]+)|') do
  references = references + 1
  local found, problem = pcall(vim.cmd.help, reference)
  assert(found, problem)
end
assert(references > 8, references)
