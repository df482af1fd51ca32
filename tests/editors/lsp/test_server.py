"""An independent client, with what three editors say they can do. Each run is written down and held against the protocol."""
import os
import pathlib
import shutil
import sys

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from protocol import CONVERTER, check_log
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "fixtures"
LOGS = pathlib.Path(os.environ["LOGS"])
SERVER = [sys.executable, str(HERE / "tap.py"), str(LOGS / "pytest-lsp.jsonl"), "--", os.environ["DUNDERSTAND"], "server"]
EDITORS = ["neovim@0.11", "visual_studio_code", "emacs"]


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(FIXTURES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "fixtures"\nversion = "1"\nrequires-python = ">=3.11"\n')
    return tmp_path


@pytest_lsp.fixture(params=EDITORS, config=ClientServerConfig(server_command=SERVER))
async def client(request, lsp_client: LanguageClient, folder):
    lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(lambda *_: None)
    answer = await lsp_client.initialize_session(lsp.InitializeParams(
        capabilities=client_capabilities(request.param),
        root_uri=folder.as_uri(),
        workspace_folders=[lsp.WorkspaceFolder(folder.as_uri(), folder.name)],
    ))
    lsp_client.folder = folder
    lsp_client.capabilities_offered = answer.capabilities
    yield
    await lsp_client.shutdown_session()


class Document:
    """An open file."""

    def __init__(self, client, name):
        self.client = client
        path = client.folder / name
        self.uri, self.text = path.as_uri(), path.read_text()
        self.version = 1
        client.text_document_did_open(lsp.DidOpenTextDocumentParams(
            lsp.TextDocumentItem(uri=self.uri, language_id="python", version=1, text=self.text)))

    @property
    def id(self):
        return lsp.TextDocumentIdentifier(self.uri)

    def place(self, text, into=0):
        before = self.text[:self.text.index(text) + into]
        return lsp.Position(before.count("\n"), len(before.rsplit("\n", 1)[-1]))

    def whole(self):
        return lsp.Range(lsp.Position(0, 0), lsp.Position(self.text.count("\n"), 0))

    async def hover(self, text, into=0):
        return await self.client.text_document_hover_async(lsp.HoverParams(self.id, self.place(text, into)))

    async def diagnostics(self):
        """Pulled where the client can pull, pushed otherwise."""
        if self.client.capabilities.text_document.diagnostic is not None:
            report = await self.client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(self.id))
            return list(report.items)
        while self.uri not in self.client.diagnostics:
            await self.client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        return list(self.client.diagnostics[self.uri])

    async def actions(self, range, diagnostics=(), only=None):
        return await self.client.text_document_code_action_async(lsp.CodeActionParams(
            self.id, range, lsp.CodeActionContext(list(diagnostics), only=only)))

    def change(self, range, text):
        self.version += 1
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(uri=self.uri, version=self.version),
            [lsp.TextDocumentContentChangePartial(range=range, text=text)]))


@pytest.mark.asyncio
async def test_hovers_explain_in_what_the_client_shows(client: LanguageClient):
    document = Document(client, "thermometer.py")
    hover = await document.hover("outside.celsius = 35", 9)
    assert isinstance(hover.contents, lsp.MarkupContent)
    assert "Checked.__set__" in hover.contents.value
    assert hover.range.start.line == document.place("outside.celsius = 35").line
    assert await document.hover('"""A number') is None


@pytest.mark.asyncio
async def test_hints_stand_where_a_descriptor_is_called(client: LanguageClient):
    if client.capabilities.text_document.inlay_hint is None:
        pytest.skip("this editor's client shows no hints")
    document = Document(client, "thermometer.py")
    hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(document.id, document.whole()))
    lines = {hint.position.line for hint in hints}
    assert document.place("outside.celsius = 35").line in lines
    for hint in hints:
        assert hint.text_edits is None
        resolved = await client.inlay_hint_resolve_async(hint)
        assert resolved.position == hint.position


@pytest.mark.asyncio
async def test_a_diagnostic_leads_to_its_places(client: LanguageClient):
    document = Document(client, "sessions.py")
    (found,) = [d for d in await document.diagnostics() if d.code == "weakref/defeated"]
    assert found.range.start.line == document.place("self._open[token] = session").line
    published = client.capabilities.text_document.publish_diagnostics
    if not (published and published.related_information):
        assert not found.related_information, "what the client does not show is not sent"
        return
    places = [related.location.range.start.line for related in found.related_information or []]
    assert document.place("self._watched[token] =").line in places


@pytest.mark.asyncio
async def test_a_quick_fix_mends_the_diagnostic(client: LanguageClient):
    document = Document(client, "poll.py")
    (found,) = await document.diagnostics()
    actions = await document.actions(found.range, [found], [lsp.CodeActionKind.QuickFix])
    action = next(action for action in actions if "asyncio.sleep" in action.title)
    assert action.kind == lsp.CodeActionKind.QuickFix
    if action.edit is None:
        action = await client.code_action_resolve_async(action)
    changes = action.edit.changes or {change.text_document.uri: change.edits for change in action.edit.document_changes}
    (edits,) = changes.values()
    for edit in sorted(edits, key=lambda edit: (-edit.range.start.line, -edit.range.start.character)):
        document.change(edit.range, edit.new_text)
    client.diagnostics.pop(document.uri, None)
    while remaining := await document.diagnostics():
        # A push may still be one for the text before.
        assert client.capabilities.text_document.diagnostic is None, remaining
        client.diagnostics.pop(document.uri, None)


@pytest.mark.asyncio
async def test_a_function_becomes_async_in_three_files(client: LanguageClient):
    document = Document(client, "shop/prices.py")
    place = document.place("load_price(item)")
    actions = await document.actions(lsp.Range(place, place), only=[lsp.CodeActionKind.RefactorRewrite])
    action = next(action for action in actions if action.title.startswith("Make `load_price` async"))
    assert action.kind.startswith("refactor.rewrite")
    if action.edit is None:
        action = await client.code_action_resolve_async(action)
    if action.edit.document_changes:
        files = {change.text_document.uri: change.edits for change in action.edit.document_changes}
        assert client.capabilities.workspace.workspace_edit.document_changes
    else:
        files = action.edit.changes
    assert {uri.rsplit("/", 1)[1] for uri in files} == {"prices.py", "cart.py", "checkout.py"}
    assert not any(edit.new_text.count("\n") > 1 for edits in files.values() for edit in edits), "edits are small"


@pytest.mark.asyncio
async def test_commands_answer(client: LanguageClient):
    document = Document(client, "poll.py")
    offered = client.capabilities_offered.execute_command_provider.commands

    async def run(command, **argument):
        assert command in offered
        return await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command, [argument]))

    position = document.place("time.sleep")
    page = await run("dunderstand.explain", uri=document.uri, position={"line": position.line, "character": position.character})
    page = CONVERTER.unstructure(page)
    assert page["id"] == "asyncio/blocking-call" and page["markdown"].startswith("# ")
    concepts = CONVERTER.unstructure(await run("dunderstand.concepts", uri=document.uri))
    assert "asyncio/blocking-call" in [concept["concept"] for concept in concepts]
    steps = CONVERTER.unstructure(await run("dunderstand.asyncSteps", uri=document.uri))
    assert all(step["applies"] or step["reason"] for step in steps) and steps
    with pytest.raises(Exception, match="nothing"):
        await client.workspace_execute_command_async(lsp.ExecuteCommandParams("dunderstand.nothing"))


@pytest.mark.asyncio
async def test_an_unknown_request_is_an_error_and_the_next_is_answered(client: LanguageClient):
    with pytest.raises(Exception, match="(?i)method"):
        await client.protocol.send_request_async("dunderstand/nonsense", {})
    assert await Document(client, "thermometer.py").hover("outside.celsius = 35", 9)


def test_what_was_said_keeps_to_the_protocol():
    """Last in this file: the log holds all runs above."""
    seen = check_log(LOGS / "pytest-lsp.jsonl")
    assert seen["answers"] > 3 * len(EDITORS)
