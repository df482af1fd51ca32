---@brief
---
--- `dunderstand` is a language server that says what Python code does at run time: which descriptor an assignment calls, which
--- metaclass builds a class, who keeps an object alive, what blocks the event loop. It runs beside a type checker and ruff.
---
--- ```sh
--- cargo install --path .
--- ```
---
--- Settings are those of `[tool.dunderstand]` in `pyproject.toml`:
---
--- ```lua
--- vim.lsp.config('dunderstand', {
---   settings = { dunderstand = { inlayHints = { threads = { enable = true } } } },
--- })
--- ```

---@type vim.lsp.Config
return {
  cmd = { 'dunderstand', 'server' },
  filetypes = { 'python' },
  root_markers = { { 'pyproject.toml', 'setup.py', 'setup.cfg' }, '.git', '.venv' },
  settings = { dunderstand = vim.empty_dict() },
}
