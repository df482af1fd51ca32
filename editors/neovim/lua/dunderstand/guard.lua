--- The server that is missing, and the server that dies.
local M = {}

--- A server that dies more often than this within `PERIOD` seconds stays down.
local RESTARTS, PERIOD = 5, 180

local told = {}
local deaths = {}
--- The clients whose server was ready once.
local ready = {}

--- The program that is to be started, or nil where the configuration starts the server in its own way.
---@return string?
function M.program()
  local cmd = (vim.lsp.config.dunderstand or {}).cmd
  return type(cmd) == 'table' and cmd[1] or nil
end

--- What to do where the program is not there; nil where it is.
---@return string?
function M.missing()
  local program = M.program()
  if program == nil or vim.fn.executable(program) == 1 then
    return nil
  end
  if program:find('[/\\]') then
    return ('dunderstand: %s is no program that can be run. Mend `cmd` in vim.lsp.config("dunderstand", …).'):format(program)
  end
  return ('dunderstand: `%s` is not on PATH. Install it, or set `cmd` in vim.lsp.config("dunderstand", …).'):format(program)
end

--- Says once that the server is missing.
function M.tell_if_missing()
  local missing = M.is_enabled() and M.missing()
  if missing and not told[missing] then
    told[missing] = true
    vim.schedule(function()
      vim.notify(missing .. ' :checkhealth dunderstand says more.', vim.log.levels.WARN)
    end)
  end
end

--- Takes note of a server that is ready.
---@param client_id integer
function M.on_attach(client_id)
  ready[client_id] = true
end

--- Starts a server anew in the place of one that died; buffers keep what they hold. One that never was ready would not be so
--- the next time either.
---@param code integer
---@param signal integer
---@param client_id integer
function M.on_exit(code, signal, client_id)
  local was_ready = ready[client_id]
  ready[client_id] = nil
  -- 15 is how Neovim itself ends a server that does not end when it is asked to.
  if (was_ready and code == 0 and (signal == 0 or signal == 15)) or vim.v.exiting ~= vim.NIL then
    return
  end
  if not was_ready then
    local how = signal ~= 0 and ('signal %d'):format(signal) or ('exit code %d'):format(code)
    local message = 'dunderstand: %s ended before it was ready (%s), and is not started again. :checkhealth dunderstand says more.'
    local program = M.program() or 'the server'
    if not told[program] then
      told[program] = true
      vim.schedule(function()
        vim.notify(message:format(program, how), vim.log.levels.ERROR)
      end)
    end
    return
  end
  local now = os.time()
  deaths = vim.tbl_filter(function(time)
    return now - time < PERIOD
  end, deaths)
  table.insert(deaths, now)
  vim.schedule(function()
    if #deaths > RESTARTS then
      local message = 'dunderstand: the server died %d times in %d minutes and stays down; :Dunderstand restart starts it anew.'
      vim.notify(message:format(#deaths, PERIOD / 60), vim.log.levels.ERROR)
    else
      M.start()
    end
  end)
end

--- Starts the server for all buffers that want it, if it is enabled.
function M.start()
  if M.is_enabled() then
    vim.lsp.enable('dunderstand')
  end
end

--- `:Dunderstand restart`
function M.restart()
  deaths, told = {}, {}
  local clients = vim.lsp.get_clients({ name = 'dunderstand' })
  for _, client in ipairs(clients) do
    client:stop(true)
  end
  vim.wait(3000, function()
    return #vim.lsp.get_clients({ name = 'dunderstand' }) == 0
  end, 10)
  vim.lsp.enable('dunderstand')
end

--- Whether vim.lsp.enable('dunderstand') was called.
---@return boolean
function M.is_enabled()
  if vim.lsp.is_enabled then
    return vim.lsp.is_enabled('dunderstand')
  end
  return vim.lsp._enabled_configs['dunderstand'] ~= nil
end

return M
