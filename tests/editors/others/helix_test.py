"""Helix with editors/helix/languages.toml: keys and a screen.

    python helix_test.py EDITORS HX…
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from screen import Screen


def main(editors, *hx):
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"]) / "helix"
    settings.mkdir(parents=True)
    languages = (pathlib.Path(editors) / "helix/languages.toml").read_text()
    # As it stands, with the example of settings taken in.
    example = "# [language-server.dunderstand.config.dunderstand]\n# hover.verbosity"
    assert example in languages
    (settings / "languages.toml").write_text(languages.replace(example, example.replace("# ", "")))
    (settings / "config.toml").write_text("[editor.lsp]\ndisplay-inlay-hints = true\n")
    with Screen([*hx, "poll.py:8:14"], rows=24) as screen:
        screen.wait("blocks the event loop")
        print("ok   helix: diagnostic")
        screen.type(" k")
        screen.wait("Blocks the event loop")
        assert "asyncio.sleep" not in screen.text(), f"the hover is to be brief\n{screen.text()}"
        print("ok   helix: hover, by the settings")
        screen.type("\x1b")
        screen.wait_gone("Blocks the event loop")
        screen.type(" a")
        screen.wait("Replace by")
        screen.type("\r")
        screen.wait("await asyncio.sleep(0.1)")
        screen.type(":wq\r")
        assert screen.end() == 0
    assert "await asyncio.sleep(0.1)" in pathlib.Path("poll.py").read_text()
    print("ok   helix: quick fix, saved")


if __name__ == "__main__":
    main(*sys.argv[1:])
