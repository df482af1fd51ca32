-- A user's configuration: this folder's plugin, the server enabled, hints on. Read by every test.
if not vim.env.ENTRY then
  vim.opt.runtimepath:prepend(vim.env.EDITORS .. '/neovim')
end
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
if vim.env.SETTINGS then
  vim.lsp.config('dunderstand', { settings = { dunderstand = vim.json.decode(vim.env.SETTINGS) } })
end
if vim.env.TY then
  vim.lsp.config('ty', { cmd = { vim.env.TY, 'server' }, filetypes = { 'python' }, root_markers = { 'pyproject.toml' } })
  vim.lsp.enable('ty')
end
if vim.env.BASEDPYRIGHT then
  local cmd = { vim.env.BASEDPYRIGHT, '--stdio' }
  vim.lsp.config('basedpyright', { cmd = cmd, filetypes = { 'python' }, root_markers = { 'pyproject.toml' }, settings = { basedpyright = {} } })
  vim.lsp.enable('basedpyright')
end
vim.lsp.enable('dunderstand')
