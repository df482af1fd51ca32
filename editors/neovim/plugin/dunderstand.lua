-- What Neovim does not do for a server by itself: the commands, one clear message where the server is missing, and a new
-- server where one has died.

if vim.g.loaded_dunderstand then
  return
end
vim.g.loaded_dunderstand = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('dunderstand needs Neovim 0.11 or newer', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('Dunderstand', function(call)
  require('dunderstand').command(call)
end, {
  nargs = '+',
  bang = true,
  desc = 'What Python code does at run time',
  complete = function(word, line)
    return require('dunderstand').complete(word, line)
  end,
})

vim.api.nvim_create_autocmd('BufReadCmd', {
  group = vim.api.nvim_create_augroup('dunderstand.pages', {}),
  pattern = 'dunderstand://*',
  desc = 'Show a page of explanations',
  callback = function(event)
    require('dunderstand.pages').read(event.buf, event.match)
  end,
})

vim.api.nvim_create_autocmd('FileType', {
  group = vim.api.nvim_create_augroup('dunderstand.hovers', {}),
  pattern = 'markdown',
  desc = 'Break the lines of hovers between words, and give links the room of their labels',
  callback = function(event)
    if #vim.lsp.get_clients({ name = 'dunderstand' }) > 0 then
      require('dunderstand.hovers').look_after(event.buf)
    end
  end,
})

local guard = require('dunderstand.guard')

-- Neovim starts nothing where the program is missing, and says so in its log only.
vim.api.nvim_create_autocmd('FileType', {
  group = vim.api.nvim_create_augroup('dunderstand.missing', {}),
  pattern = 'python',
  desc = 'Say once that the server is missing',
  callback = guard.tell_if_missing,
})

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('dunderstand.ready', {}),
  desc = 'Know which servers were ready once',
  callback = function(event)
    guard.on_attach(event.data.client_id)
  end,
})

-- Neovim asks for the hazards of a buffer that is shown when it opens or changes; not for one that is shown later, or again
-- after a change elsewhere.
vim.api.nvim_create_autocmd('BufWinEnter', {
  group = vim.api.nvim_create_augroup('dunderstand.shown', {}),
  pattern = '*.py',
  desc = 'Ask for the hazards of a buffer that is shown again',
  callback = function(event)
    local method = 'textDocument/diagnostic'
    for _, client in ipairs(vim.lsp.get_clients({ name = 'dunderstand', bufnr = event.buf, method = method })) do
      -- With the server's own name for them, as Neovim asks: else the same ones would be shown twice.
      local identifier = vim.tbl_get(client.server_capabilities, 'diagnosticProvider', 'identifier')
      local params = { textDocument = { uri = vim.uri_from_bufnr(event.buf) }, identifier = identifier }
      client:request(method, params, nil, event.buf)
    end
  end,
})

-- The user's own function takes precedence.
vim.lsp.config('dunderstand', { on_exit = (vim.lsp.config.dunderstand or {}).on_exit or guard.on_exit })
