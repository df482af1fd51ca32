"""The settings files of editors that are not started here: they can be read, and start the server by its command line.

    python files_test.py EDITORS
"""
import json
import pathlib
import re
import sys


def relaxed(path):
    """JSON as editors read it: with comments and trailing commas."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", "\n".join(lines)))


def main(editors):
    editors = pathlib.Path(editors)
    client = relaxed(editors / "sublime/LSP.sublime-settings")["clients"]["dunderstand"]
    assert client["command"] == ["dunderstand", "server"] and client["selector"] == "source.python", client
    zed = relaxed(editors / "zed/settings.json")
    (name, server), = zed["lsp"].items()
    assert [server["binary"]["path"], *server["binary"]["arguments"]] == ["dunderstand", "server"], server
    assert name in zed["languages"]["Python"]["language_servers"]
    helix = (editors / "helix/languages.toml").read_text()
    assert 'command = "dunderstand"' in helix and 'args = ["server"]' in helix
    print("ok   files: sublime, zed, helix")


if __name__ == "__main__":
    main(*sys.argv[1:])
