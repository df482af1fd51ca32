-- How a hover looks: lines break between words, lists keep their indentation, a link takes the room of its label and leads to its
-- address, and nothing is cut off; in narrow windows, too. What another server says is left as it is.
local t = require('lib')
vim.o.winborder = 'single'

--- The open hover: its window, its buffer and its lines, once it has its look.
local function shown()
  vim.lsp.buf.hover()
  local window = t.wait('a hover with its look', function()
    local _, window = t.float()
    return window and vim.wo[window].breakindentopt == 'list:-1' and window
  end)
  local buffer = vim.api.nvim_win_get_buf(window)
  return window, buffer, vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
end

t.open('topics/counting.py')
t.client()
for _, columns in ipairs({ 120, 80, 50 }) do
  vim.o.columns, vim.o.lines = columns, 40
  for _, place in ipairs({ 'bookmark = page', 'del bookmark', 'second.following =', 'sys.getrefcount' }) do
    t.go(place, place:find('^sys') and 4 or 0)
    local window, buffer, lines = shown()
    t.equal(vim.wo[window].linebreak, true)
    local text = table.concat(lines, '\n')
    assert(not text:find('](', 1, true) and not text:find('https:', 1, true), text)
    t.equal(vim.api.nvim_win_get_height(window), vim.api.nvim_win_text_height(window, {}).all, place .. ': all of it is seen')
    assert(vim.api.nvim_win_get_width(window) <= columns - 2, place)
    local marks = vim.api.nvim_buf_get_extmarks(buffer, -1, 0, -1, { details = true })
    local links = vim.tbl_filter(function(mark)
      return mark[4].url ~= nil
    end, marks)
    t.equal(#links, 1, text)
    local mark = links[1]
    t.contains(mark[4].url, 'https://docs.python.org/3/')
    local label = lines[mark[2] + 1]:sub(mark[3] + 1, mark[4].end_col)
    assert(label:find('^Python documentation') or label:find('^`?[%w_.]+`?$'), label)
    assert(not vim.bo[buffer].modifiable)
    vim.api.nvim_win_close(window, true)
  end
end

-- A wide window is no wider than its text.
vim.o.columns = 200
t.go('bookmark = page')
local window, _, lines = shown()
local widest = vim.iter(lines):map(vim.fn.strdisplaywidth):fold(1, math.max)
assert(vim.api.nvim_win_get_width(window) <= widest, vim.inspect(lines))
vim.api.nvim_win_close(window, true)

-- Markdown of somebody else, in the same kind of window.
vim.o.columns, vim.o.lines = 100, 40
local strange = { '# Something else', '[a](https://example.org) and `b`' }
local other, float = vim.lsp.util.open_floating_preview(strange, 'markdown', { focus_id = 'textDocument/hover' })
vim.wait(100)
t.contains(table.concat(vim.api.nvim_buf_get_lines(other, 0, -1, false), '\n'), '](https://example.org)')
assert(vim.wo[float].breakindentopt ~= 'list:-1')
