--- Hovers as they are shown: lines break between words, and a link takes the room of its label only. Neovim counts the hidden
--- address of a link when it breaks lines and when it makes room for them.
local M = {}

local NAMESPACE = vim.api.nvim_create_namespace('dunderstand.hovers')

--- The lines of this server's part of a hover, from 1; nil where it has none. Where several servers answer, each has a heading.
---@param lines string[]
---@return integer?, integer?
local function own_part(lines)
  local from, to
  for number, line in ipairs(lines) do
    if line == '# dunderstand' then
      from = number + 1
    elseif from and (line:find('^# ') or line == '---') then
      to = number - 1
      break
    end
  end
  if from == nil and lines[1] and lines[1]:find('^%*%*[^*]+%*%*%s*$') then
    from = 1
  end
  return from, from and (to or #lines)
end

--- A line without the addresses of its links, and where which label stands: byte columns from 0, the end exclusive.
---@param line string
---@return string
---@return { from: integer, to: integer, url: string }[]
local function without_addresses(line)
  local text, links, behind = '', {}, 1
  while true do
    local from, to, label, url = line:find('%[([^%]]+)%]%((https?://[^%s]-)%)', behind)
    if from == nil then
      return text .. line:sub(behind), links
    end
    -- In `file.html#x()` the address has brackets of its own.
    if line:sub(to + 1, to + 1) == ')' and url:find('(', 1, true) then
      to, url = to + 1, url .. ')'
    end
    text = text .. line:sub(behind, from - 1)
    table.insert(links, { from = #text, to = #text + #label, url = url })
    text, behind = text .. label, to + 1
  end
end

--- How much room a line takes before it is broken: hidden marks count.
---@param line string
local function width_of(line)
  return vim.fn.strdisplaywidth((line:gsub('%s+$', '')))
end

--- The most rows a hover can have on its side of the cursor.
---@param config vim.api.keyset.win_config
local function room(config)
  local row = vim.api.nvim_win_get_position(0)[1] + vim.fn.winline()
  local border = config.border and config.border ~= 'none' and 2 or 0
  local is_above = config.anchor and config.anchor:sub(1, 1) == 'S'
  return (is_above and row - 1 or vim.o.lines - vim.o.cmdheight - row) - border
end

--- Gives a hover its look.
---@param buffer integer
---@param window integer
local function tidy(buffer, window)
  if not (vim.api.nvim_buf_is_valid(buffer) and vim.api.nvim_win_is_valid(window)) then
    return
  end
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  local from, to = own_part(lines)
  if from == nil then
    return
  end
  vim.bo[buffer].modifiable = true
  for number = from, to do
    local text, links = without_addresses(lines[number])
    if #links > 0 then
      lines[number] = text
      vim.api.nvim_buf_set_lines(buffer, number - 1, number, false, { text })
      for _, link in ipairs(links) do
        local mark = { end_col = link.to, url = link.url, hl_group = 'Underlined' }
        vim.api.nvim_buf_set_extmark(buffer, NAMESPACE, number - 1, link.from, mark)
      end
    end
  end
  vim.bo[buffer].formatlistpat = [[^\s*\(\d\+[.)]\|[-*]\)\s\+]]
  vim.bo[buffer].modifiable = false
  vim.wo[window].linebreak = true
  vim.wo[window].breakindentopt = 'list:-1'
  if from == 1 then
    local widest = vim.iter(lines):map(width_of):fold(1, math.max)
    vim.api.nvim_win_set_width(window, math.min(widest, vim.api.nvim_win_get_width(window)))
  end
  local rows = vim.api.nvim_win_text_height(window, {}).all
  local fits = math.max(1, math.min(rows, room(vim.api.nvim_win_get_config(window))))
  vim.api.nvim_win_set_height(window, fits)
end

--- Looks after a buffer that was filled with Markdown, if it is a hover on a file that the server serves.
---@param buffer integer
function M.look_after(buffer)
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local about = vim.w[window]['textDocument/hover']
    if about and #vim.lsp.get_clients({ name = 'dunderstand', bufnr = about }) > 0 then
      vim.schedule(function()
        tidy(buffer, window)
      end)
    end
  end
end

return M
