--- Pages of explanations in buffers: `dunderstand://ID`, or `dunderstand://?WORDS` for what words mean.
local M = {}

local SCHEME = 'dunderstand://'

--- The file from which a page was asked for last: a team may have pages of its own, and a page names the places in it.
local asked_from
--- A page that was read already and waits for its buffer, by name.
local waiting = {}

--- How a window shows a page.
local LOOK = {
  conceallevel = 2,
  concealcursor = 'n',
  wrap = true,
  linebreak = true,
  breakindent = true,
  spell = false,
  number = false,
  relativenumber = false,
  signcolumn = 'no',
  -- The colours of the code are Python's.
  winhighlight = '@markup.raw.block.markdown:DunderstandCode',
}

--- Markdown by its parsers, which come with Neovim; Python by its syntax file, as its parser does not.
---@param buffer integer
local function colour(buffer)
  if pcall(vim.treesitter.start, buffer, 'markdown') and #vim.api.nvim_get_runtime_file('parser/python.*', false) == 0 then
    vim.api.nvim_set_hl(0, 'DunderstandCode', { default = true })
    vim.api.nvim_buf_call(buffer, function()
      vim.cmd('syntax clear')
      vim.b[buffer].current_syntax = nil
      vim.cmd('syntax include @dunderstandPython syntax/python.vim')
      vim.cmd([[syntax region dunderstandCode start=/^```python$/ end=/^```$/ contains=@dunderstandPython keepend]])
    end)
  end
end

--- The target of the Markdown link under the cursor.
---@return string?
local function link_under_cursor()
  local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2] + 1
  local from, to, target = line:find('%[[^%]]*%]%(([^)]*)%)')
  while from do
    if from <= column and column <= to then
      return target
    end
    from, to, target = line:find('%[[^%]]*%]%(([^)]*)%)', to + 1)
  end
  return line:sub(1, column):match('<(https?://[^>]*)$') and line:match('<(https?://[^>]*)>', 1)
    or line:match('^%s*%-%s*<(https?://[^>]*)>')
end

--- A window that shows no page.
local function other_window()
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local buffer = vim.api.nvim_win_get_buf(window)
    if vim.bo[buffer].buftype == '' and vim.api.nvim_win_get_config(window).relative == '' then
      return window
    end
  end
end

--- Follows a link: to a page in this window, to code in another one, to the rest of the world in its program.
---@param target string?
function M.follow(target)
  if target == nil then
    return
  end
  local id = target:match('^dunderstand:(.+)')
  local file, line = target:match('^(file://.-)#L(%d+)$')
  if id then
    vim.cmd.edit(vim.fn.fnameescape(SCHEME .. id))
  elseif file then
    local window = other_window()
    if window then
      vim.api.nvim_set_current_win(window)
    else
      vim.cmd.new()
    end
    vim.cmd.edit(vim.fn.fnameescape(vim.uri_to_fname(file)))
    vim.api.nvim_win_set_cursor(0, { math.min(tonumber(line) or 1, vim.api.nvim_buf_line_count(0)), 0 })
  else
    vim.ui.open(target)
  end
end

--- Fills a buffer with the page its name asks for.
---@param buffer integer
---@param name string
function M.read(buffer, name)
  local wanted = name:sub(#SCHEME + 1)
  local page, problem = waiting[name], nil
  waiting[name] = nil
  if page == nil then
    local words = wanted:match('^%?(.+)')
    local question = { uri = asked_from, words = words, id = words == nil and wanted or nil }
    page, problem = require('dunderstand').ask('dunderstand.explain', question)
  end
  local text = page and page.markdown or ('Nothing to show: %s'):format(problem or 'no page')
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text, '\n', { trimempty = true }))
  vim.bo[buffer].buftype, vim.bo[buffer].swapfile = 'nofile', false
  vim.bo[buffer].modified, vim.bo[buffer].modifiable = false, false
  vim.bo[buffer].filetype = 'markdown'
  for option, value in pairs(LOOK) do
    vim.api.nvim_set_option_value(option, value, { scope = 'local', win = 0 })
  end
  colour(buffer)
  for _, key in ipairs({ '<CR>', 'gf' }) do
    vim.keymap.set('n', key, function()
      M.follow(link_under_cursor())
    end, { buffer = buffer, desc = 'Follow the link under the cursor' })
  end
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer, desc = 'Close the page' })
end

--- Shows a page in a window of its own, the one that shows a page already if there is one.
---@param wanted string an id, or `?` and words
---@param uri string? the file from which it is asked for
---@param page table? the page, where it was read already
function M.open(wanted, uri, page)
  asked_from = uri or asked_from
  local name = SCHEME .. wanted
  waiting[name] = page
  local command = vim.cmd.split
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.startswith(vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)), SCHEME) then
      vim.api.nvim_set_current_win(window)
      command = vim.cmd.edit
      break
    end
  end
  command(vim.fn.fnameescape(name))
end

return M
