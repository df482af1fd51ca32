" Vim 8 and newer, with ALE: put this file into ~/.vim/plugin. Hazards show as ALE's, :ALEHover explains, :ALECodeAction mends.
" ALE shows no inlay hints.

" Settings, as in [tool.dunderstand] of pyproject.toml, go into your vimrc:
" let g:dunderstand_settings = {'hover': {'verbosity': 'brief'}}

call ale#linter#Define('python', {
\   'name': 'dunderstand',
\   'lsp': 'stdio',
\   'executable': get(g:, 'dunderstand_executable', 'dunderstand'),
\   'command': '%e server',
\   'project_root': function('ale#python#FindProjectRoot'),
\   'initialization_options': get(g:, 'dunderstand_settings', {}),
\})

" Beside other linters; without this line, ALE runs all it knows for Python.
let g:ale_linters = extend(get(g:, 'ale_linters', {}), {'python': ['dunderstand']}, 'keep')
