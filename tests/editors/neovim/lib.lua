--- What the tests share. A test is a Lua file that calls these; it runs in a Neovim of its own, in a folder of its own.
local M = {}

--- Everything a person would have been told.
M.messages = {}

--- Ends the test.
local function fail(message)
  error(message, 0)
end

--- Waits until `predicate` says yes, and answers with what it said.
function M.wait(what, predicate, timeout)
  local answer
  local is_there = vim.wait(timeout or 240000, function()
    answer = predicate()
    return answer
  end, 10)
  if not is_there then
    fail(('waited in vain: %s\nmessages: %s'):format(what, vim.inspect(M.messages)))
  end
  return answer
end

function M.equal(found, expected, what)
  if not vim.deep_equal(found, expected) then
    fail(('%s\nexpected: %s\nfound:    %s'):format(what or 'differs', vim.inspect(expected), vim.inspect(found)))
  end
end

--- `text` holds every one of `parts`.
function M.contains(text, parts, what)
  for _, part in ipairs(type(parts) == 'table' and parts or { parts }) do
    if not text:find(part, 1, true) then
      fail(('%s: not found: %s\nin: %s'):format(what or 'text', part, text))
    end
  end
end

--- Opens a file.
function M.open(path)
  vim.cmd.edit(path)
  return vim.api.nvim_get_current_buf()
end

--- The client called `name` that serves the current buffer, once it is there.
function M.client(name)
  return M.wait('a client ' .. (name or 'dunderstand'), function()
    return vim.lsp.get_clients({ name = name or 'dunderstand', bufnr = 0 })[1]
  end)
end

--- Puts the cursor on the first place of `text`, `into` bytes after its start.
function M.go(text, into)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local start = line:find(text, 1, true)
    if start then
      vim.api.nvim_win_set_cursor(0, { number, start - 1 + (into or 0) })
      return number
    end
  end
  fail('not in the buffer: ' .. text)
end

--- The whole buffer.
function M.text(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), '\n')
end

--- A file as it is on disk.
function M.on_disk(path)
  local file = assert(io.open(path))
  local text = file:read('*a')
  file:close()
  return text
end

--- The text of the floating window, if one is open.
function M.float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return M.text(vim.api.nvim_win_get_buf(window)), window
    end
  end
end

--- What hovering says, as it is shown.
function M.hover()
  vim.lsp.buf.hover()
  M.wait('a hover', M.float)
  local text, window = M.float()
  vim.api.nvim_win_close(window, true)
  return text
end

--- The labels of the hints of a line, once there are some.
function M.hints(line)
  local found = M.wait('hints', function()
    local hints = vim.tbl_filter(function(hint)
      return hint.inlay_hint.position.line == line - 1
    end, vim.lsp.inlay_hint.get({ bufnr = 0 }))
    return #hints > 0 and hints
  end)
  return vim.tbl_map(function(hint)
    local label = hint.inlay_hint.label
    return type(label) == 'string' and label or vim.iter(label):map(function(part)
      return part.value
    end):join('')
  end, found)
end

--- The diagnostic with a code, once it is there.
function M.diagnostic(code)
  return M.wait('a diagnostic ' .. code, function()
    return vim.iter(vim.diagnostic.get(0)):find(function(diagnostic)
      return diagnostic.code == code
    end)
  end)
end

--- Applies the one action under the cursor whose title has `part`.
function M.act(part)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title:find(part, 1, true) ~= nil and action.disabled == nil
    end,
  })
end

--- The processes of servers that this Neovim started, itself or through a script.
function M.servers(parent)
  local found = {}
  for _, child in ipairs(vim.api.nvim_get_proc_children(parent or vim.fn.getpid())) do
    local info = vim.api.nvim_get_proc(child)
    if info and vim.startswith(info.name, 'dunderstand') then
      table.insert(found, child)
    else
      vim.list_extend(found, M.servers(child))
    end
  end
  return found
end

--- How many of the messages hold `part`.
function M.told(part)
  return #vim.tbl_filter(function(message)
    return message:find(part, 1, true) ~= nil
  end, M.messages)
end

local function record()
  vim.notify = function(message)
    table.insert(M.messages, message)
  end
  for _, method in ipairs({ 'window/showMessage', 'window/showMessageRequest' }) do
    vim.lsp.handlers[method] = function(_, params)
      table.insert(M.messages, params.message)
      return vim.NIL
    end
  end
end

--- Runs a test and ends Neovim.
function M.run(path)
  record()
  vim.schedule(function()
    local passed, problem = xpcall(dofile, function(message)
      return type(message) == 'string' and message .. '\n' .. debug.traceback('', 2) or vim.inspect(message)
    end, path)
    if not passed then
      io.stdout:write(problem .. '\n')
    end
    if passed then
      vim.fn.writefile({ 'passed' }, vim.env.RESULT)
    end
    -- Servers end first: a Neovim that quits while one closes its pipe may die of SIGPIPE.
    vim.lsp.enable({ 'basedpyright', 'dunderstand', 'ty' }, false)
    vim.wait(30000, function()
      return #vim.lsp.get_clients() == 0
    end, 10)
    vim.cmd(passed and 'qall!' or 'cquit! 1')
  end)
end

return M
