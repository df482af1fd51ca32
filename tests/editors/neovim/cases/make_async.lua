-- A function that sleeps becomes async together with its callers, in three files; they are saved, and the program runs.
local t = require('lib')

--- Waits until all three files are changed, writes them and looks at the disk.
local function is_done()
  t.wait('edits in three files', function()
    return #vim.tbl_filter(function(buffer)
      return vim.bo[buffer.bufnr].modified
    end, vim.fn.getbufinfo({ bufloaded = 1 })) == 3
  end)
  vim.cmd.wall()
  t.contains(t.on_disk('shop/prices.py'), { 'async def load_price(item):', 'await asyncio.sleep(0.1)', 'import asyncio' })
  t.contains(t.on_disk('shop/cart.py'), { 'async def total(items):', 'amount += await load_price(item)' })
  t.contains(t.on_disk('shop/checkout.py'), 'print("to pay:", await total(items))')
  local run = vim.system({ 'python3', '-W', 'error', '-m', 'shop.checkout' }, { text = true }):wait(20000)
  t.equal({ run.code, run.stdout }, { 0, 'to pay: 10\n' }, run.stderr)
end

local function originals()
  return { t.on_disk('shop/prices.py'), t.on_disk('shop/cart.py'), t.on_disk('shop/checkout.py') }
end

-- As a code action.
local before = originals()
t.open('shop/checkout.py')
t.client()
t.diagnostic('asyncio/blocking-call-through')
t.open('shop/prices.py')
t.go('load_price(item)')
t.act('Make `load_price` async')
is_done()
t.wait('no hazards in prices.py', function()
  return #vim.diagnostic.get(0) == 0
end)
t.open('shop/checkout.py')
t.wait('no hazards in checkout.py', function()
  return #vim.diagnostic.get(0) == 0
end)

-- Undo takes it back, in each file.
for _, file in ipairs({ 'prices', 'cart', 'checkout' }) do
  t.open(('shop/%s.py'):format(file))
  vim.cmd.undo()
end
vim.cmd.wall()
t.equal(originals(), before, 'after undo')

-- As a step toward async.
local offered
vim.ui.select = function(steps, options, choose)
  offered = vim.tbl_map(options.format_item, steps)
  for number, step in ipairs(offered) do
    if step:find('Make `load_price` async', 1, true) then
      return choose(steps[number])
    end
  end
end
t.open('shop/prices.py')
t.go('PRICES[item]')
vim.cmd('Dunderstand async')
t.contains(table.concat(offered, '\n'), { 'line 6: ', 'Make `load_price` async', 'in 3 files' })
is_done()
t.equal(t.messages, {})

-- Where there is nothing to do.
vim.cmd('Dunderstand async')
t.equal(t.told('no step toward async here'), 1, vim.inspect(offered))
