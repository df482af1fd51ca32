"""Vim with ALE and editors/vim/dunderstand.vim: keys and a screen.

    python vim_test.py VIM ALE_FOLDER EDITORS
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from screen import Screen


def main(vim, ale, editors):
    pathlib.Path("vimrc").write_text(f"""
set nocompatible noswapfile
filetype plugin on
set runtimepath^={ale}
let g:ale_virtualtext_cursor = 'all'
let g:dunderstand_settings = {{'hover': {{'verbosity': 'brief'}}}}
source {ale}/plugin/ale.vim
source {editors}/vim/dunderstand.vim
""")
    with Screen([vim, "-u", "vimrc", "poll.py"]) as screen:
        screen.wait("blocks the event loop")
        print("ok   vim: diagnostic")
        screen.type("/time.sleep\r:ALEHover\r")
        screen.wait("Blocks the event loop")
        assert "asyncio.sleep" not in screen.text(), f"the hover is to be brief\n{screen.text()}"
        print("ok   vim: hover, by the settings")
        screen.type(":pclose\r:ALECodeAction\r")
        screen.wait("Replace by")
        screen.type("1\r")
        screen.wait("await asyncio.sleep(0.1)")
        screen.type(":w\r")
        screen.wait("written")
        screen.type(":q!\r")
        screen.end()
    assert "await asyncio.sleep(0.1)" in pathlib.Path("poll.py").read_text()
    print("ok   vim: quick fix, saved")


if __name__ == "__main__":
    main(*sys.argv[1:])
