"""The files for editors that cannot be started here can be read, and start the server by its command line; and every setting
that a file for any editor names, in an example, too, is one of the server's.

    python files_test.py EDITORS
"""
import json
import pathlib
import re
import sys

try:
    import tomllib
except ImportError:  # before Python 3.11
    from pip._vendor import tomli as tomllib


def relaxed(text):
    """JSON as editors read it: with comments and trailing commas."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("//")]
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", "\n".join(lines)))


def keys(settings, known, prefix=""):
    """The dotted names in nested settings; what a setting holds is not looked into."""
    for name, value in settings.items():
        name = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and name not in known:
            yield from keys(value, known, name)
        else:
            yield name


def without_marks(text, mark):
    """What is commented out, behind the word "Settings"."""
    lines = text[text.index("Settings"):].splitlines()[1:]
    taken = []
    for line in lines:
        if not line.startswith(mark):
            break
        taken.append(line.removeprefix(mark).strip())
    return "\n".join(taken)


def lisp(text):
    """`(:a (:b "c"))` as nested dictionaries."""
    tokens = re.findall(r'[()]|"[^"]*"|[^\s()]+', text)

    def read():
        token = tokens.pop(0)
        if token != "(":
            return {"t": True, ":json-false": False}.get(token, token.strip('"'))
        items = []
        while tokens[0] != ")":
            items.append(read())
        tokens.pop(0)
        return {name.removeprefix(":"): value for name, value in zip(items[::2], items[1::2])}

    return read()


def lua(text):
    """A Lua table as nested dictionaries: as much as the examples need."""
    text = re.sub(r"--.*", "", text)
    text = re.sub(r"\[(['\"])(.*?)\1\]\s*=", r'"\2":', text)
    text = re.sub(r"(\w+)\s*=", r'"\1":', text).replace("'", '"')
    return json.loads(re.sub(r",(\s*})", r"\1", text))


def balanced(text):
    """The braces at the start of a text, with what is in them."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return text[:index + 1]
    raise ValueError(text)


def examples(editors):
    """The settings that each file names, nested, below `dunderstand`."""
    text = lambda name: (editors / name).read_text()
    yield "helix", tomllib.loads(without_marks(text("helix/languages.toml"), "#"))["language-server"]["dunderstand"]["config"]["dunderstand"]
    yield "emacs", lisp(re.search(r"'(\(:dunderstand .*\))\)", text("emacs/dunderstand.el"))[1])["dunderstand"]
    yield "vim", json.loads(re.search(r"= (\{.*\})", without_marks(text("vim/dunderstand.vim"), '"'))[1].replace("'", '"'))
    yield "zed", relaxed(text("zed/settings.json"))["lsp"]["pylsp"]["initialization_options"]["dunderstand"]
    sublime = relaxed(text("sublime/LSP.sublime-settings"))["clients"]["dunderstand"]["settings"]
    yield "sublime", {name.removeprefix("dunderstand."): value for name, value in sublime.items()}
    for name in ["neovim/doc/dunderstand.txt", "neovim/lsp/dunderstand.lua"]:
        plain = re.sub(r"(?m)^--- ?", "", text(name))
        start = re.search(r"settings = \{\s*dunderstand = ", plain).end()
        yield name, lua(balanced(plain[start:]))


def main(editors):
    editors = pathlib.Path(editors)
    client = relaxed((editors / "sublime/LSP.sublime-settings").read_text())["clients"]["dunderstand"]
    assert client["command"] == ["dunderstand", "server"] and client["selector"] == "source.python", client
    zed = relaxed((editors / "zed/settings.json").read_text())
    (name, server), = zed["lsp"].items()
    assert [server["binary"]["path"], *server["binary"]["arguments"]] == ["dunderstand", "server"], server
    assert name in zed["languages"]["Python"]["language_servers"]
    helix = tomllib.loads((editors / "helix/languages.toml").read_text())
    server = helix["language-server"]["dunderstand"]
    assert [server["command"], *server["args"]] == ["dunderstand", "server"], server
    print("ok   files: sublime, zed, helix")

    # The manifest of VS Code's extension is held against the server's own list by another test.
    manifest = json.loads((editors / "vscode/package.json").read_text())["contributes"]["configuration"]["properties"]
    known = {name.removeprefix("dunderstand."): about for name, about in manifest.items()}
    count = 0
    for file, settings in examples(editors):
        named = list(keys(settings, known))
        assert named, f"{file} names no settings"
        for name in named:
            assert name in known, f"{file} names {name}, which is no setting"
        count += len(named)
    assert count >= 8, count
    print(f"ok   files: {count} settings in seven files are settings of the server")


if __name__ == "__main__":
    main(*sys.argv[1:])
