--- `:checkhealth dunderstand`
local M = {}

local health = vim.health
local guard = require('dunderstand.guard')

local function check_program()
  local missing = guard.missing()
  if missing then
    health.error(missing, { 'with Rust: `cargo install --path .` in the sources', 'or put the binary on your PATH' })
    return
  end
  local program = guard.program()
  if program == nil then
    health.info('`cmd` is a function: the program is not known')
    return
  end
  local started, process = pcall(vim.system, { program, '--version' }, { text = true })
  local result = started and process:wait(5000) or { code = 1, stdout = '' }
  local version = vim.trim(result.stdout or '')
  if result.code == 0 and vim.startswith(version, 'dunderstand ') then
    health.ok(('%s, %s'):format(version, vim.fn.exepath(program)))
  else
    health.error(('`%s --version` does not answer as dunderstand does'):format(program), { 'mend `cmd` in vim.lsp.config("dunderstand", …)' })
  end
end

local function check_clients()
  if not guard.is_enabled() then
    health.warn('the server is not enabled', { "put `vim.lsp.enable('dunderstand')` into your init.lua" })
    return
  end
  local clients = vim.lsp.get_clients({ name = 'dunderstand' })
  if #clients == 0 then
    health.info('enabled; no server is running. It starts with the first Python file')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(('running for %d buffer%s in %s'):format(buffers, buffers == 1 and '' or 's', client.root_dir or 'single files'))
    for buffer in pairs(client.attached_buffers) do
      if not vim.lsp.inlay_hint.is_enabled({ bufnr = buffer }) then
        health.info('inlay hints are off; `vim.lsp.inlay_hint.enable()` shows them')
        break
      end
    end
  end
end

--- Where the server looks for third-party packages, in its order.
local function check_python()
  local client = vim.lsp.get_clients({ name = 'dunderstand' })[1]
  local set = client and vim.tbl_get(client.settings or {}, 'dunderstand', 'python')
  local root = client and client.root_dir or vim.fn.getcwd()
  local venv = vim.fs.joinpath(root, '.venv')
  local candidates = {
    { 'the setting `python`', type(set) == 'string' and set or nil },
    { 'VIRTUAL_ENV', vim.env.VIRTUAL_ENV },
    { 'CONDA_PREFIX', vim.env.CONDA_PREFIX },
    { 'the project', vim.uv.fs_stat(venv) and venv or nil },
    { 'PATH', vim.fn.executable('python3') == 1 and vim.fn.exepath('python3') or nil },
  }
  for index = 1, #candidates do
    local from, path = candidates[index][1], candidates[index][2]
    if path and (vim.uv.fs_stat(path) or vim.uv.fs_stat(vim.fs.joinpath(root, path))) then
      health.ok(('Python from %s: %s (read, never run)'):format(from, path))
      return
    elseif path then
      health.error(('Python from %s: %s does not exist'):format(from, path), { 'until then third-party packages are unknown' })
      return
    end
  end
  health.info('no Python found: the standard library is explained, third-party packages are unknown')
end

function M.check()
  health.start('dunderstand')
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim 0.11 or newer is needed')
    return
  end
  check_program()
  check_clients()
  check_python()
end

return M
