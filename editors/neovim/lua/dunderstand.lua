--- The commands `:Dunderstand …`.
local M = {}

--- How long an answer is waited for, in milliseconds: looking through a workspace takes its time.
local PATIENCE = 60000

local function tell(message)
  vim.notify('dunderstand: ' .. message, vim.log.levels.INFO)
end

--- The server of a buffer, or any.
---@param buffer integer?
---@return vim.lsp.Client?
local function client_of(buffer)
  local own = buffer and vim.lsp.get_clients({ name = 'dunderstand', bufnr = buffer }) or {}
  return own[1] or vim.lsp.get_clients({ name = 'dunderstand' })[1]
end

--- Asks the server for one of its own commands.
---@param command string
---@param argument table
---@return any? answer
---@return string? problem
function M.ask(command, argument)
  local client = client_of(vim.api.nvim_get_current_buf())
  if client == nil then
    return nil, 'no server is running; :checkhealth dunderstand says why'
  end
  local params = { command = command, arguments = { argument } }
  local answer, problem = client:request_sync('workspace/executeCommand', params, PATIENCE)
  if answer == nil then
    return nil, problem or 'no answer'
  elseif answer.err then
    return nil, answer.err.message
  end
  return answer.result ~= vim.NIL and answer.result or nil
end

local commands = {}

--- A page: by its id, by words, or on what is at work under the cursor.
function commands.explain(arguments)
  local pages = require('dunderstand.pages')
  local uri = vim.bo.filetype == 'python' and vim.uri_from_bufnr(0) or nil
  local words = table.concat(arguments, ' ')
  if words ~= '' then
    pages.open(words:match('^[%w_-]+/[%w_/-]+$') or '?' .. words, uri)
    return
  end
  local client = client_of(0)
  local position = client and vim.lsp.util.make_position_params(0, client.offset_encoding).position
  local page, problem = M.ask('dunderstand.explain', { uri = vim.uri_from_bufnr(0), position = position })
  if page then
    pages.open(page.id, uri, page)
  else
    tell(problem or 'nothing to explain here; `:Dunderstand explain WORDS` looks for a page')
  end
end

--- Applies a step: the code action that is offered under its title.
---@param client vim.lsp.Client
---@param buffer integer
---@param step table
local function apply(client, buffer, step)
  local function with_edit(action)
    if action and action.edit then
      vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
    else
      tell('the code has changed meanwhile; ask again')
    end
  end
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buffer) },
    range = step.range,
    context = { diagnostics = {} },
  }
  client:request('textDocument/codeAction', params, function(_, actions)
    local action = vim.iter(actions or {}):find(function(action)
      return action.title == step.title and action.disabled == nil
    end)
    if action == nil or action.edit then
      with_edit(action)
      return
    end
    client:request('codeAction/resolve', action, function(_, resolved)
      with_edit(resolved)
    end, buffer)
  end, buffer)
end

--- What can be done toward async in the function under the cursor, or with `!` in the file, and what is in the way.
function commands.async(_, is_whole_file)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  local question = { uri = vim.uri_from_bufnr(buffer) }
  if client and not is_whole_file then
    question.position = vim.lsp.util.make_position_params(0, client.offset_encoding).position
  end
  local steps, problem = M.ask('dunderstand.asyncSteps', question)
  if client == nil or steps == nil or steps[1] == nil then
    tell(problem or 'no step toward async here')
    return
  end
  local choice = {
    prompt = 'Steps toward async',
    format_item = function(step)
      local line = ('line %d: %s'):format(step.range.start.line + 1, step.title)
      return step.applies and line or ('%s [not yet: %s]'):format(line, step.reason)
    end,
  }
  vim.ui.select(steps, choice, function(step)
    if step == nil then
      return
    end
    vim.lsp.util.show_document({ uri = question.uri, range = step.range }, client.offset_encoding, { focus = true })
    if step.applies then
      apply(client, buffer, step)
    else
      tell(step.reason)
    end
  end)
end

--- Where which concept is at work, in the quickfix list: in the workspace or, with `!`, in this file.
function commands.concepts(_, is_this_file)
  local argument = is_this_file and { uri = vim.uri_from_bufnr(0) } or vim.empty_dict()
  local concepts, problem = M.ask('dunderstand.concepts', argument)
  if concepts == nil then
    tell(problem)
    return
  end
  local client = client_of(0)
  local items = {}
  for _, concept in ipairs(concepts) do
    local locations = vim.tbl_map(function(place)
      return { uri = place.uri, range = place.range, summary = place.summary }
    end, concept.places)
    for _, item in ipairs(vim.lsp.util.locations_to_items(locations, client and client.offset_encoding or 'utf-8')) do
      local summary = item.user_data.summary
      item.text = concept.title .. (type(summary) == 'string' and ': ' .. summary:gsub('%s+', ' ') or '')
      item.user_data = nil
      table.insert(items, item)
    end
  end
  vim.fn.setqflist({}, ' ', { title = 'Concepts at work', items = items })
  if #items == 0 then
    tell('no concept is at work here')
  else
    vim.cmd('botright copen')
  end
end

--- The places that belong to the diagnostics of this line, in the location list.
function commands.related()
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  local client = client_of(0)
  local items = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0, { lnum = line })) do
    for _, related in ipairs(vim.tbl_get(diagnostic, 'user_data', 'lsp', 'relatedInformation') or {}) do
      local item = vim.lsp.util.locations_to_items({ related.location }, client and client.offset_encoding or 'utf-8')[1]
      if item then
        item.text, item.user_data = related.message, nil
        table.insert(items, item)
      end
    end
  end
  if #items == 0 then
    tell('no other places belong to this line')
    return
  end
  vim.fn.setloclist(0, {}, ' ', { title = 'Related places', items = items })
  vim.cmd.lopen()
end

--- Stops the server and starts it anew.
function commands.restart()
  require('dunderstand.guard').restart()
end

--- Runs `:Dunderstand …`.
function M.command(call)
  local arguments = vim.deepcopy(call.fargs)
  local name = table.remove(arguments, 1)
  local command = commands[name]
  if command == nil then
    tell(('no command `%s`; there are %s'):format(name, table.concat(M.names(), ', ')))
    return
  end
  command(arguments, call.bang)
end

--- The commands' names, in order.
function M.names()
  local names = vim.tbl_keys(commands)
  table.sort(names)
  return names
end

local pages

--- The ids of all pages, read once.
local function page_ids()
  if pages == nil then
    local program = require('dunderstand.guard').program()
    if program == nil or vim.fn.executable(program) == 0 then
      return {}
    end
    pages = {}
    local topic
    local output = vim.system({ program, 'pages' }, { text = true }):wait(5000).stdout or ''
    for line in output:gmatch('[^\n]+') do
      topic = line:match('^(%S+)$') or topic
      local name = line:match('^  (%S+)')
      if name and topic then
        table.insert(pages, topic .. '/' .. name)
      end
    end
  end
  return pages
end

--- What completes a command line.
---@param word string
---@param line string
---@return string[]
function M.complete(word, line)
  local words = vim.split(line, '%s+', { trimempty = true })
  local is_command = #words == 1 or (#words == 2 and word ~= '')
  local candidates = is_command and M.names() or (words[2] == 'explain' and page_ids() or {})
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, word)
  end, candidates)
end

return M
