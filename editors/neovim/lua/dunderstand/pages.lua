--- Pages of explanations in buffers named `dunderstand://ID`.
local M = {}

--- The file from which a page was asked for last: a team may have pages of its own.
local asked_from

--- What looks like the id of a page under the cursor.
---@return string?
local function id_under_cursor()
  local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2] + 1
  local start = 1
  while true do
    local from, to = line:find('[%w_-]+/[%w_/-]+', start)
    if from == nil or from > column then
      return nil
    end
    if column <= to then
      return line:sub(from, to)
    end
    start = to + 1
  end
end

--- Fills a buffer with the page its name asks for.
---@param buffer integer
---@param name string
function M.read(buffer, name)
  local id = name:gsub('^dunderstand://', '')
  local page, problem = require('dunderstand').ask('dunderstand.explain', { id = id, uri = asked_from })
  local text = page and page.markdown or ('There is no page `%s`: %s'):format(id, problem)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text, '\n', { trimempty = true }))
  vim.bo[buffer].buftype, vim.bo[buffer].swapfile = 'nofile', false
  vim.bo[buffer].modified, vim.bo[buffer].modifiable = false, false
  vim.bo[buffer].filetype = 'markdown'
  for option, value in pairs({ conceallevel = 2, concealcursor = 'n', wrap = true, linebreak = true, spell = false }) do
    vim.api.nvim_set_option_value(option, value, { scope = 'local', win = 0 })
  end
  for _, key in ipairs({ '<CR>', 'gf' }) do
    vim.keymap.set('n', key, function()
      local other = id_under_cursor()
      if other then
        vim.cmd.edit(vim.fn.fnameescape('dunderstand://' .. other))
      end
    end, { buffer = buffer, desc = 'Open the page under the cursor' })
  end
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer, desc = 'Close the page' })
end

--- Shows a page in a window of its own, the one that shows a page already if there is one.
---@param id string
---@param uri string? the file from which it is asked for
function M.open(id, uri)
  asked_from = uri or asked_from
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local name = vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window))
    if vim.startswith(name, 'dunderstand://') then
      vim.api.nvim_set_current_win(window)
      vim.cmd.edit(vim.fn.fnameescape('dunderstand://' .. id))
      return
    end
  end
  vim.cmd.split(vim.fn.fnameescape('dunderstand://' .. id))
end

return M
