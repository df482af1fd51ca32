"""Where documents are, and how columns are counted: the same code is explained in the same way."""
import os
import pathlib
import re
import shutil
import sys
import urllib.parse

import pytest
from raw import Raw
from texts import by_file, edited, part, position, range_of

HERE = pathlib.Path(__file__).parent
SHOP = HERE.parent / "fixtures/shop"
BLOCKING = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
ASTRAL = '''\
import asyncio
import time
import weakref


class Label:
    def __set_name__(self, owner, name):
        self.slot = "_" + name

    def __get__(self, instance, owner=None):
        return getattr(instance, self.slot)

    def __set__(self, instance, value):
        setattr(instance, self.slot, value)


class Party:
    title = Label()  # 🎉
    guests = {}
    seen = {}

    def add(self, name, guest):
        "é🎈"; self.guests[name] = guest
        "日本🎂"; self.seen[name] = weakref.ref(guest, lambda gone: self.guests.pop(name, None))


async def celebrate(party: Party):
    "🎉 ünï"; time.sleep(0.1)  # 🎊🎊
    "𝔘"; party.title = "🎉🎉"; print("🎈")
    "👩‍👩‍👧"; asyncio.create_task(celebrate(party))
'''


def seen(encoding, folder):
    """What the server says of a text, with ranges read as what stands there."""
    uri = (folder / "astral.py").as_uri()
    text = ASTRAL
    with Raw() as raw:
        assert raw.start(folder.as_uri(), encoding=encoding)["positionEncoding"] == encoding
        raw.open(uri, text)
        whole = {"start": {"line": 0, "character": 0}, "end": position(text, len(text), encoding)}
        told = {"diagnostics": [
            (item["code"], part(text, item["range"], encoding), [part(text, related["location"]["range"], encoding) for related in item.get("relatedInformation", [])])
            for item in raw.diagnostics(uri)]}
        hints = raw.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})
        before = lambda at: part(text, {"start": {"line": at["line"], "character": 0}, "end": at}, encoding)
        told["hints"] = [(before(hint["position"]), hint["label"] if isinstance(hint["label"], str) else hint["label"][0]["value"]) for hint in hints]
        for what in ["time.sleep", "party.title", "asyncio.create_task", "weakref.ref"]:
            at = range_of(text, what, encoding)
            hover = raw.hover(uri, at["end"]["line"], at["end"]["character"] - 1)
            told["hover " + what] = (part(text, hover["range"], encoding), hover["contents"]["value"].splitlines()[0])
            page = raw.request("workspace/executeCommand", {"command": "dunderstand.explain", "arguments": [{"uri": uri, "position": {**at["end"], "character": at["end"]["character"] - 1}}]})
            told["page " + what] = page["id"]
        concepts = raw.request("workspace/executeCommand", {"command": "dunderstand.concepts", "arguments": [{"uri": uri}]})
        told["concepts"] = [(concept["concept"], [part(text, place["range"], encoding) for place in concept["places"]]) for concept in concepts]
        steps = raw.request("workspace/executeCommand", {"command": "dunderstand.asyncSteps", "arguments": [{"uri": uri}]})
        told["steps"] = [(step["title"], part(text, step["range"], encoding)) for step in steps]
        for index, what in enumerate(["time.sleep", "asyncio.create_task", "self.guests[name] ="]):
            for action in raw.actions(uri, range_of(text, what, encoding)):
                if "edit" in action:
                    (edits,) = by_file(action["edit"]).values()
                    told[f"action {index} {action['title']}"] = edited(text, edits, encoding)
        # Two changes in the middle of a line; then the text is the same for all.
        raw.change(uri, 2, {"range": range_of(text, "time.sleep(0.1)", encoding), "text": '"🎈", time.sleep(0.2)'})
        text = text.replace("time.sleep(0.1)", '"🎈", time.sleep(0.2)')
        raw.change(uri, 3, {"range": range_of(text, "🎉 ünï", encoding), "text": "é"})
        text = text.replace("🎉 ünï", "é")
        told["after changes"] = [(item["code"], part(text, item["range"], encoding)) for item in raw.diagnostics(uri)]
        # Every column of a line, also those inside of a character.
        for character in range(60):
            raw.hover(uri, 27, character)
        assert raw.stop() == 0
    return told


def test_every_encoding_means_the_same_places(tmp_path):
    first = seen("utf-16", tmp_path)
    codes = dict((code, (where, related)) for code, where, related in first["diagnostics"])
    assert codes["asyncio/blocking-call"][0] == "time.sleep"
    assert len(codes["weakref/defeated"][1]) >= 1
    assert ('    "𝔘"; party.title = "🎉🎉"', "→ Label.__set__") in [(line.rstrip(), label) for line, label in first["hints"]] or first["hints"]
    assert first["hover time.sleep"][0] == "time.sleep"
    assert any(name.startswith("action 0") and 'await asyncio.sleep(0.1)' in text for name, text in first.items() if isinstance(text, str)), list(first)
    assert ("asyncio/blocking-call", "time.sleep") in first["after changes"]
    for encoding in ["utf-8", "utf-32"]:
        other = seen(encoding, tmp_path)
        for name, what in first.items():
            assert other[name] == what, (encoding, name)


NAMES = ["a space [brackets] {braces}", "100%, a%20b", "ünï 日本 😀 e\u0301", "hash#tag what? plus+and&", "semi;colon:equals=", "back`tick quo\"te' caret^pipe|", "~dollar$@"]


def as_vs_code_writes(path):
    return "file://" + urllib.parse.quote(str(path), safe="/~-._")


def as_rust_writes(path):
    return "file://" + urllib.parse.quote(str(path), safe="/:@!$&'()*+,;=[]|^~-._")


def with_small_digits(path):
    return re.sub("%..", lambda code: code[0].lower(), path.as_uri())


def to_path(uri):
    assert uri.startswith("file:///"), uri
    return urllib.parse.unquote(uri.removeprefix("file://"))


@pytest.mark.parametrize("spelled", [pathlib.Path.as_uri, as_vs_code_writes, as_rust_writes, with_small_digits])
def test_a_function_becomes_async_in_folders_of_any_name(tmp_path, spelled):
    folders = {spelled(tmp_path / name): tmp_path / name for name in NAMES}
    for folder in folders.values():
        shutil.copytree(SHOP, folder / "shop")
    legal = lambda uri: urllib.parse.quote(uri, safe="/:@!$&'()*+,;=~-._%")
    text, checkout_text = ((SHOP / name).read_text() for name in ["prices.py", "checkout.py"])
    with Raw() as raw:
        raw.start(*folders)
        for root, folder in folders.items():
            prices, checkout = root + "/shop/prices.py", root + "/shop/checkout.py"
            raw.open(prices, text)
            raw.open(checkout, checkout_text)
            (hazard,) = raw.diagnostics(checkout)
            assert hazard["code"] == "asyncio/blocking-call-through", root
            related = [related["location"]["uri"] for related in hazard["relatedInformation"]]
            assert related and all(str(folder) in to_path(uri) and os.path.exists(to_path(uri)) for uri in related), related
            (action,) = [action for action in raw.actions(prices, range_of(text, "load_price", "utf-16"), ["refactor.rewrite"]) if action["title"].startswith("Make `load_price` async")]
            changed = by_file(action["edit"])
            assert sorted(map(to_path, changed)) == [str(folder / "shop" / file) for file in ["cart.py", "checkout.py", "prices.py"]]
            assert legal(prices) in changed and legal(checkout) in changed, "a file that is open keeps the client's address"
        concepts = raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
        places = {to_path(place["uri"]) for concept in concepts for place in concept["places"]}
        assert all(os.path.exists(place) for place in places)
        for folder in folders.values():
            assert str(folder / "shop/checkout.py") in places
        assert raw.stop() == 0


ADDRESSES = [
    "untitled:Untitled-1", "untitled:/some where/new.py", "untitled:a%20b?x#y", "vscode-notebook-cell:/tmp/a%20b.ipynb#W0sZmlsZQ%3D%3D", "git:/tmp/a.py?%7B%22ref%22%3A%22HEAD%22%7D",
    "vscode-vfs://github/a/b.py", "inmemory://model/1", "zipfile:///tmp/a.zip::b.py", "buffer:1", "UNTITLED:X", "file://host.example/share/a.py", "file:///", "file:", "x:", "untitled:100%",
    "untitled:" + "long" * 200,
]


def test_texts_that_are_no_files(tmp_path):
    with Raw() as raw:
        raw.start(tmp_path.as_uri())
        for uri in ADDRESSES:
            raw.open(uri, BLOCKING)
            assert raw.codes(uri) == ["asyncio/blocking-call"], uri
            assert "time.sleep" in raw.hover(uri, 4, 10)["contents"]["value"]
            (action,) = [action for action in raw.actions(uri, range_of(BLOCKING, "time.sleep", "utf-16"), ["quickfix"]) if "asyncio.sleep" in action["title"]]
            ((address, edits),) = by_file(action["edit"]).items()
            assert urllib.parse.unquote(address) == urllib.parse.unquote(uri)
            assert "await asyncio.sleep(1)" in edited(BLOCKING, edits, "utf-16")
            raw.change(uri, 2, {"text": "x = 1\n"})
            assert raw.codes(uri) == []
            raw.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
            assert raw.diagnostics(uri) == []
        assert raw.stop() == 0


def test_texts_that_are_no_files_are_told_apart(tmp_path):
    """Two names that differ in a mark only are two texts; without a folder, too."""
    uris = ["untitled:a b", "untitled:a_b", "untitled:a-b", "untitled:A-B", "untitled:a%2Db", "untitled:ä", "untitled:ö", "vscode-notebook-cell:/n.ipynb#W0", "vscode-notebook-cell:/n.ipynb#W1",
            "vscode-notebook-cell:/n_ipynb#W1"]
    for folders in [(tmp_path.as_uri(),), ()]:
        with Raw() as raw:
            raw.start(*folders)
            for number, uri in enumerate(uris):
                raw.open(uri, BLOCKING.replace("sleep(1)", f"sleep({number + 1})"))
            for number, uri in enumerate(uris):
                actions = raw.actions(uri, range_of(BLOCKING, "time.sleep", "utf-16"), ["quickfix"])
                (edits,) = [by_file(action["edit"])[urllib.parse.quote(uri, safe="/:%#")] for action in actions if "asyncio.sleep" in action["title"]]
                text = edited(BLOCKING.replace("sleep(1)", f"sleep({number + 1})"), edits, "utf-16")
                assert f"await asyncio.sleep({number + 1})" in text, uri
            assert raw.stop() == 0


def test_cells_of_a_notebook(tmp_path):
    """Each cell is a text of its own; what one cannot know of the others is not guessed."""
    cell = "vscode-notebook-cell:/home/me/n.ipynb#W%ds"
    with Raw() as raw:
        raw.start(tmp_path.as_uri())
        raw.open(cell % 0, "import asyncio, time\n\nasync def load():\n    await asyncio.sleep(1)\n")
        raw.open(cell % 1, "%timeit load()\n!ls\n")
        raw.open(cell % 2, "await load()\nresult = await asyncio.gather(load(), load())\n")
        raw.open(cell % 3, "load()\ntime.sleep(1)\nundefined.thing\n")
        assert [raw.codes(cell % number) for number in range(4)] == [[], [], [], []]
        assert raw.hover(cell % 2, 0, 1) is None or "await" in raw.hover(cell % 2, 0, 1)["contents"]["value"]
        assert raw.stop() == 0


SHOPPER = "import asyncio\n\nfrom shop.cart import total\n\n\nasync def buy():\n    return total(['tea'])\n"


def watched(raw, *changes):
    raw.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind} for path, kind in changes]})


def test_modules_that_come_and_go(tmp_path):
    created, changed, deleted = 1, 2, 3
    shop = tmp_path / "shop"
    shutil.copytree(SHOP, shop)
    uri = (tmp_path / "a.py").as_uri()
    hazard = ["asyncio/blocking-call-through"]
    with Raw() as raw:
        raw.start(tmp_path.as_uri())
        raw.open(uri, SHOPPER)
        assert raw.codes(uri) == hazard
        # Renamed, and back.
        (shop / "prices.py").rename(shop / "tariff.py")
        watched(raw, (shop / "prices.py", deleted), (shop / "tariff.py", created))
        assert raw.codes(uri) == []
        (shop / "tariff.py").rename(shop / "prices.py")
        watched(raw, (shop / "tariff.py", deleted), (shop / "prices.py", created))
        assert raw.codes(uri) == hazard
        # A module becomes a package of the same name.
        text = (shop / "prices.py").read_text()
        (shop / "prices.py").unlink()
        (shop / "prices").mkdir()
        (shop / "prices/__init__.py").write_text(text.replace("    time.sleep(0.1)\n", ""))
        watched(raw, (shop / "prices.py", deleted), (shop / "prices", created), (shop / "prices/__init__.py", created))
        assert raw.codes(uri) == []
        (shop / "prices/__init__.py").write_text(text)
        watched(raw, (shop / "prices/__init__.py", changed))
        assert raw.codes(uri) == hazard
        # The whole folder goes, told of by its own name only; then it comes back.
        shop.rename(tmp_path / "store")
        watched(raw, (shop, deleted), (tmp_path / "store", created))
        assert raw.codes(uri) == []
        (tmp_path / "store").rename(shop)
        watched(raw, (shop, created), (tmp_path / "store", deleted))
        assert raw.codes(uri) == hazard
        # An open text counts more than the disk, until it is closed.
        cart = (shop / "cart.py").as_uri()
        raw.open(cart, "def total(items):\n    return 0\n")
        assert raw.codes(uri) == []
        watched(raw, (shop / "cart.py", changed))
        assert raw.codes(uri) == []
        raw.notify("textDocument/didClose", {"textDocument": {"uri": cart}})
        assert raw.codes(uri) == hazard
        # Events of things that are not there, or are no Python.
        watched(raw, (tmp_path / "nothing.py", deleted), (tmp_path / "nothing", changed), (tmp_path / "a.txt", created), (pathlib.Path("/"), changed))
        # A file that is open goes from the disk: its text stays.
        path = tmp_path / "a.py"
        path.write_text(SHOPPER)
        watched(raw, (path, created))
        path.unlink()
        watched(raw, (path, deleted))
        assert raw.codes(uri) == hazard
        assert raw.stop() == 0


def test_folders_that_come_and_go(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two (2)"
    for folder in [one, two]:
        shutil.copytree(SHOP, folder / "shop")
    (two / "shop/prices.py").write_text("def load_price(item):\n    return 1\n")
    mine, yours = (one / "a.py").as_uri(), (two / "a.py").as_uri()

    def folders(raw, added, removed):
        named = lambda uris: [{"uri": uri, "name": "f"} for uri in uris]
        raw.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": named(added), "removed": named(removed)}})

    def is_known(raw, folder):
        concepts = raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
        return any(to_path(place["uri"]).startswith(f"{folder}/") for concept in concepts for place in concept["places"])

    with Raw() as raw:
        raw.start(one.as_uri())
        raw.open(mine, SHOPPER)
        raw.open(yours, SHOPPER)
        hazard = ["asyncio/blocking-call-through"]
        assert raw.codes(mine) == hazard and not is_known(raw, two)
        folders(raw, [two.as_uri()], [])
        assert (raw.codes(mine), raw.codes(yours)) == (hazard, []), "each folder has its own modules"
        # The same folder once more, by another spelling; then it goes by a third one.
        other = two.as_uri().replace("%20", " ").replace("(", "%28") + "/"
        folders(raw, [other.replace(" ", "%20")], [])
        assert (raw.codes(mine), raw.codes(yours)) == (hazard, [])
        folders(raw, [], [two.as_uri().replace("%28", "(").replace("%29", ")")])
        assert not is_known(raw, two), "the folder is gone"
        # A folder inside of another, one that is not there, all gone, one again.
        folders(raw, [(one / "shop").as_uri(), (tmp_path / "nowhere").as_uri(), "untitled:x"], [])
        assert raw.codes(mine) == hazard
        folders(raw, [], [one.as_uri(), (one / "shop").as_uri(), (tmp_path / "nowhere").as_uri(), (tmp_path / "never").as_uri()])
        assert (raw.codes(mine), raw.codes(yours)) == (hazard, []), "without a folder, each is a file of its own"
        folders(raw, [one.as_uri()], [])
        assert raw.codes(mine) == hazard
        assert raw.stop() == 0


def test_nothing_is_written(tmp_path):
    """A folder that cannot be written is served like any other; and one that can is left as it was."""
    shutil.copytree(SHOP, tmp_path / "shop")
    state = lambda: sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    for path in tmp_path.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    tmp_path.chmod(0o555)
    before = state()
    home = {name: str(tmp_path / "home") for name in ["HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR"]}
    try:
        with Raw(**home) as raw:
            raw.start(tmp_path.as_uri())
            uri = (tmp_path / "shop/prices.py").as_uri()
            text = (tmp_path / "shop/prices.py").read_text()
            raw.open(uri, text)
            raw.open("untitled:Untitled-1", BLOCKING)
            assert raw.codes("untitled:Untitled-1") == ["asyncio/blocking-call"]
            raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
            actions = raw.actions(uri, range_of(text, "load_price", "utf-16"))
            assert any(len(by_file(action["edit"])) == 3 for action in actions if "edit" in action)
            assert raw.stop() == 0
        assert state() == before
    finally:
        for path in [tmp_path, *tmp_path.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)


def test_folders_behind_links(tmp_path):
    """The client's path counts: edits and places are given below the link by which the folder is open."""
    real = tmp_path / "real"
    shutil.copytree(SHOP, real / "shop")
    (real / "around").symlink_to(real)
    (real / "gone").symlink_to(tmp_path / "nowhere")
    (real / "gone.py").symlink_to(tmp_path / "nowhere.py")
    link = tmp_path / "link"
    link.symlink_to(real)
    text = (real / "shop/prices.py").read_text()
    for root in [link, real]:
        with Raw() as raw:
            raw.start(root.as_uri())
            uri = (root / "shop/prices.py").as_uri()
            raw.open(uri, text)
            (action,) = [action for action in raw.actions(uri, range_of(text, "load_price", "utf-16"), ["refactor.rewrite"]) if action["title"].startswith("Make `load_price` async")]
            assert sorted(map(to_path, by_file(action["edit"]))) == [str(root / "shop" / file) for file in ["cart.py", "checkout.py", "prices.py"]]
            concepts = raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
            places = [to_path(place["uri"]) for concept in concepts for place in concept["places"]]
            assert places and all(place.startswith(f"{root}/shop/") for place in places), places
            # The same file by its other path, in the same server: explained as well.
            twin = ((real if root == link else link) / "shop/checkout.py").as_uri()
            raw.open(twin, (real / "shop/checkout.py").read_text())
            assert raw.codes(twin) == ["asyncio/blocking-call-through"]
            assert raw.hover(twin, 6, 22) is not None
            assert raw.stop() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are bytes elsewhere")
def test_a_name_that_is_no_text(tmp_path):
    folder = os.fsencode(tmp_path)
    with open(os.path.join(folder, b"caf\xe9.py"), "w") as file:
        file.write(BLOCKING)
    with Raw() as raw:
        raw.start(tmp_path.as_uri())
        uri = tmp_path.as_uri() + "/caf%E9.py"
        raw.open(uri, BLOCKING)
        assert raw.codes(uri) == ["asyncio/blocking-call"]
        raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
        assert raw.stop() == 0
