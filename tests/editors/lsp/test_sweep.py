"""Every word of whole programs: hovers, hints, actions and pages come without an error, and keep to the protocol."""
import os
import pathlib
import re

from raw import Raw, capabilities
from texts import position

HERE = pathlib.Path(__file__).parent
PROGRAMS = sorted(HERE.parent.glob("topics/*.py")) + sorted(HERE.parent.glob("fixtures/**/*.py"))
# Example programs beside the project, where they are present.
PROGRAMS += sorted((HERE.parents[3] / "shared/seed").glob("*.py")) + sorted(pathlib.Path(os.environ.get("SEED", "/nowhere")).glob("*.py"))


def test_every_word_of_whole_programs():
    hovers = hints = actions = 0
    with Raw() as raw:
        raw.start(HERE.parent.as_uri(), able=capabilities("utf-16", "neovim@0.11"))
        for path in PROGRAMS:
            text, uri = path.read_text(), path.as_uri()
            raw.open(uri, text)
            whole = {"start": {"line": 0, "character": 0}, "end": position(text, len(text), "utf-16")}
            asked = {}
            for word in re.finditer(r"\w+|[^\w\s]+", text):
                at = position(text, word.start(), "utf-16")
                asked[raw.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": at})] = word[0]
            for id in asked:
                hover = raw.wait(id)
                if hover is None:
                    continue
                hovers += 1
                value = hover["contents"]["value"]
                assert len(value.splitlines()) <= 15 and len(value) <= 900, value
                assert "{{" not in value and "TODO" not in value, value
            for hint in raw.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole}) or []:
                hints += 1
                label = hint["label"] if isinstance(hint["label"], str) else "".join(part["value"] for part in hint["label"])
                assert 0 < len(label) <= 40 and "\n" not in label, label
                assert raw.request("inlayHint/resolve", hint)["position"] == hint["position"]
            for line in range(text.count("\n") + 1):
                for action in raw.actions(uri, {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 999}}):
                    actions += 1
                    assert "edit" in action or action["disabled"]["reason"], action
            raw.request("workspace/executeCommand", {"command": "dunderstand.asyncSteps", "arguments": [{"uri": uri}]})
            raw.diagnostics(uri)
        concepts = raw.request("workspace/executeCommand", {"command": "dunderstand.concepts"})
        for concept in concepts:
            page = raw.request("workspace/executeCommand", {"command": "dunderstand.explain", "arguments": [{"id": concept["concept"]}]})
            assert page["markdown"].startswith("# "), page
        assert raw.stop() == 0
    assert hovers > 200 and hints > 4 and actions > 10 and len(concepts) > 40, (hovers, hints, actions, len(concepts))
