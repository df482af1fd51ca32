-- A user's configuration: this folder's plugin, the server enabled, hints on. Read by every test.
local editors = vim.env.EDITORS
vim.opt.runtimepath:prepend(editors .. '/neovim')
package.path = vim.env.TESTS .. '/?.lua;' .. package.path

vim.o.swapfile = false
vim.o.signcolumn = 'yes'
vim.diagnostic.config({ virtual_text = true })
vim.api.nvim_create_autocmd('LspAttach', {
  callback = function(event)
    vim.lsp.inlay_hint.enable(true, { bufnr = event.buf })
  end,
})

-- `CMD` is what starts the server, in JSON; without it, what the plugin says counts.
if vim.env.CMD then
  vim.lsp.config('dunderstand', { cmd = vim.json.decode(vim.env.CMD) })
end
if vim.env.PYTHON_SETTING then
  vim.lsp.config('dunderstand', { settings = { dunderstand = { python = vim.env.PYTHON_SETTING } } })
end
if vim.env.TY then
  vim.lsp.config('ty', { cmd = { vim.env.TY, 'server' }, filetypes = { 'python' }, root_markers = { 'pyproject.toml' } })
  vim.lsp.enable('ty')
end
vim.lsp.enable('dunderstand')
