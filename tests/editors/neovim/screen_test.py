"""Neovim as a person sees it: keys and a screen. With PICTURES=1 the pictures in editors/neovim/media are made anew.

    python screen_test.py NVIM
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from screen import Screen

HERE = pathlib.Path(__file__).parent
MEDIA = HERE.parents[2] / "editors/neovim/media"


def picture(screen, name):
    if os.environ.get("PICTURES") == "1":
        MEDIA.mkdir(exist_ok=True)
        screen.picture(MEDIA / f"{name}.png")


def start(nvim, file, rows, columns=100):
    look = "lua vim.o.winborder = 'rounded'; vim.o.termguicolors = true; vim.o.laststatus = 0; vim.o.number = true; vim.o.ruler = false; vim.o.hlsearch = false; vim.o.showcmd = false"
    return Screen([nvim, "-u", str(HERE / "init.lua"), "--cmd", look, file], rows=rows, columns=columns)


def hover_and_hints(nvim):
    with start(nvim, "thermometer.py", 32) as screen:
        screen.wait("→ Checked.__set__")
        screen.type("/outside.cel\rfcK")
        screen.wait("Assignment through a data descriptor")
        screen.wait("ValueError")
        picture(screen, "hover")
        screen.type(":q!\r")
        screen.end()


def a_hover_in_a_small_window(nvim):
    with start(nvim, "topics/downloads.py", 14, 60) as screen:
        # Hints say that the server is there.
        screen.type("/tasks =\r")
        screen.wait("not started")
        screen.type("fdK")
        screen.wait("builds a coroutine object")
        screen.wait("asyncio/coroutine-function")
        rows = screen.text().splitlines()
        top, bottom = (next(i for i, row in enumerate(rows) if mark in row) for mark in "╭╰")
        inside = [row[row.index("│"):row.rindex("│")].strip("│ ") for row in rows[top + 1:bottom]]
        assert inside[0] == "Coroutine, not started" and inside[-1].endswith("asyncio/coroutine-function"), screen.text()
        assert "https:" not in screen.text() and any("tasks = [download" in row for row in rows), screen.text()
        screen.type(":qa!\r")
        screen.end()


def a_fix_from_the_menu(nvim):
    with start(nvim, "poll.py", 18) as screen:
        screen.wait("blocks the event loop")
        screen.type("/time.sleep\rgra")
        screen.wait("Replace by `await asyncio.sleep")
        picture(screen, "actions")
        screen.type("1\r")
        screen.wait("await asyncio.sleep(0.1)")
        screen.wait_gone("blocks the event loop")
        screen.type(":w\r")
        screen.wait("written")
        screen.type(":q\r")
        assert screen.end() == 0
    assert "await asyncio.sleep(0.1)" in pathlib.Path("poll.py").read_text()


def a_page(nvim):
    with start(nvim, "poll.py", 40) as screen:
        screen.wait("blocks the event loop")
        screen.type("/time.sleep\r:set splitbelow\r:Dunderstand explain\r")
        screen.wait("Blocks the event loop")
        screen.type(":resize 30 | echo\r")
        screen.wait("asyncio/blocking-call · warning")
        picture(screen, "page")
        screen.type(":qa!\r")
        screen.end()


def main(nvim):
    for test in [hover_and_hints, a_hover_in_a_small_window, a_page, a_fix_from_the_menu]:
        test(nvim)
        print(f"ok   screen: {test.__name__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
