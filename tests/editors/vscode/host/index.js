// Tests inside VS Code's extension host, with the extension as it was installed. VS Code calls run().
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { OURS, SEED } = require("./programs");
const { find, open, settled, until } = require("./tools");

const ID = "dunderstand.dunderstand";
const run = (command, ...args) => vscode.commands.executeCommand(command, ...args);
const text = (hover) => hover.contents.map((content) => content.value ?? content).join("\n");
const hovers = async (document, position) => (await run("vscode.executeHoverProvider", document.uri, position)).map(text);
const ours = (diagnostics) => diagnostics.filter((diagnostic) => diagnostic.source === "dunderstand");
const diagnostics = (uri, wanted) =>
  until(vscode.languages.onDidChangeDiagnostics, `diagnostics of ${uri.path}`, () => {
    const found = ours(vscode.languages.getDiagnostics(uri));
    return wanted(found) ? found : undefined;
  });
const client = () => vscode.extensions.getExtension(ID).exports.client();
const code = (diagnostic) => diagnostic.code?.value ?? diagnostic.code;
const hints = async (document, line) =>
  (await run("vscode.executeInlayHintProvider", document.uri, new vscode.Range(0, 0, document.lineCount, 0)))
    .filter((hint) => hint.position.line === line)
    .map(({ label }) => (typeof label === "string" ? label : label.map((part) => part.value).join("")));

/** Opens programs and holds what is shown against what is wanted. */
async function shown(programs) {
  for (const { file, at, hover, hint, code: wanted, related = [] } of programs) {
    const document = await open(file);
    const position = find(document, at);
    if (hover) assert.match((await hovers(document, position)).join("\n---\n"), hover, `${file}, ${at}`);
    if (hint) {
      const labels = await hints(document, position.line);
      assert.ok(labels.includes(hint), `${file}, ${at}: ${labels}`);
    }
    if (!wanted) continue;
    const found = await diagnostics(document.uri, (found) => found.some((diagnostic) => code(diagnostic) === wanted));
    const places = found.filter((diagnostic) => code(diagnostic) === wanted).flatMap(({ relatedInformation }) => relatedInformation ?? []);
    const lines = places.map(({ location }) => document.lineAt(location.range.start.line).text);
    for (const piece of related) assert.ok(lines.some((line) => line.includes(piece)), `${file}: no ${piece} in ${lines}`);
  }
}

const tests = {
  async "it is the installed extension that runs, with its commands"() {
    const extension = vscode.extensions.getExtension(ID);
    assert.equal(vscode.workspace.isTrusted, false, "nothing here depends on trust");
    assert.equal(vscode.extensions.getExtension(ID).extensionKind, vscode.ExtensionKind.Workspace, "it runs where the files are, on a remote host, too");
    await extension.activate();
    await extension.exports.started();
    assert.ok(extension.extensionPath.startsWith(process.env.EXTENSIONS), extension.extensionPath);
    const commands = await vscode.commands.getCommands(true);
    for (const { command } of extension.packageJSON.contributes.commands) assert.ok(commands.includes(command), command);
  },

  async "a hover explains, and leads to the page"() {
    const document = await open("work/thermometer.py");
    const [hover] = (await hovers(document, find(document, "outside.|celsius = 35"))).filter((text) => text.includes("Checked.__set__"));
    assert.match(hover, /^\*\*Assignment through a data descriptor\*\*/);
    const last = hover.trim().split("\n").at(-1);
    assert.match(last, /^\[[^\]]*\]\(https:[^\n]* · \[Whole page\]\(command:dunderstand\.openExplanation\?/);
    assert.ok(!last.includes("`"), `pages are links, not ids: ${last}`);
  },

  async "programs of eight kinds are explained"() {
    await shown(OURS);
  },

  async "the example programs beside the project are explained, where they are present"() {
    if (process.env.SEED) await shown(SEED);
    else return "not present";
  },

  async "hints stand where the descriptor is called"() {
    const document = await open("work/thermometer.py");
    const labels = await hints(document, find(document, "outside.celsius = 35|").line);
    assert.ok(labels.includes("→ Checked.__set__"), `${labels}`);
  },

  async "a diagnostic leads to the places that belong to it"() {
    const document = await open("work/sessions.py");
    const [defeated] = await diagnostics(document.uri, (found) => found.length > 0);
    assert.equal(code(defeated), "weakref/defeated");
    const [related] = defeated.relatedInformation;
    assert.equal(related.location.uri.fsPath, document.uri.fsPath);
    assert.equal(related.location.range.start.line, find(document, "|weakref.ref(").line);
  },

  async "a quick fix is applied and saved"() {
    const document = await open("work/poll.py");
    const [blocking] = await diagnostics(document.uri, (found) => found.length > 0);
    assert.equal(code(blocking), "asyncio/blocking-call");
    const actions = await run("vscode.executeCodeActionProvider", document.uri, blocking.range, "quickfix", 20);
    const fix = actions.find((action) => action.title.startsWith("Replace by `await asyncio.sleep(…)`"));
    assert.ok(fix, actions.map((action) => action.title).join("\n"));
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    await document.save();
    assert.match(fs.readFileSync(document.uri.fsPath, "utf8"), /\n        await asyncio\.sleep\(0\.1\)\n/);
    await diagnostics(document.uri, (found) => found.length === 0);
  },

  async "a blocking call is found through three files"() {
    const document = await open("work/shop/checkout.py");
    const [blocking] = await diagnostics(document.uri, (found) => found.length > 0);
    assert.equal(code(blocking), "asyncio/blocking-call-through");
    const files = new Set(blocking.relatedInformation.map(({ location }) => path.basename(location.uri.path)));
    assert.ok(files.has("cart.py") && files.has("prices.py"), [...files].join());
  },

  async "hovers of two type checkers and ours stand side by side"() {
    const document = await open("work/thermometer.py");
    const position = find(document, "|outside.celsius = 35").translate(0, "outside.".length);
    const wanted = 1 + JSON.parse(process.env.CHECKERS).length;
    const all = await settled("the hovers of all", async () => {
      const found = await hovers(document, position);
      return found.some((text) => text.includes("Checked.__set__")) && found.length >= wanted ? found : undefined;
    });
    assert.equal(all.length, wanted, all.join("\n---\n"));
    const others = all.filter((text) => !text.includes("Checked.__set__"));
    assert.equal(others.length, wanted - 1);
    for (const other of others) assert.ok(/```/.test(other) && !/Whole page/.test(other), other);
    assert.deepEqual(ours(vscode.languages.getDiagnostics(document.uri)), [], "the type checkers' affairs are left to them");
  },

  async "each folder of a workspace has settings of its own"() {
    const loud = await open("work/loud.py");
    assert.equal(code((await diagnostics(loud.uri, (found) => found.length > 0))[0]), "asyncio/blocking-call");
    const quiet = await open("quiet/quiet.py");
    const hover = await hovers(quiet, find(quiet, "time.|sleep"));
    assert.match(hover.join("\n"), /Blocks the event loop/);
    assert.deepEqual(ours(vscode.languages.getDiagnostics(quiet.uri)), []);
  },

  async "the page about the cursor's place opens beside the code"() {
    const document = await open("work/thermometer.py");
    const at = find(document, "outside.|celsius = 35");
    vscode.window.activeTextEditor.selection = new vscode.Selection(at, at);
    const tab = () => vscode.window.tabGroups.all.flatMap((group) => group.tabs).find((tab) => tab.label === "Assignment through a data descriptor");
    const opened = until(vscode.window.tabGroups.onDidChangeTabs, "the page", tab);
    await run("dunderstand.openExplanation");
    const shown = await opened;
    await run("dunderstand.followLink", "dunderstand:weakref/defeated");
    await until(vscode.window.tabGroups.onDidChangeTabs, "another page in its place", () => !tab());
    await run("dunderstand.followLink", "back:");
    await until(vscode.window.tabGroups.onDidChangeTabs, "the first page again", tab);
    await run("dunderstand.followLink", `${document.uri}#L2`);
    assert.equal(vscode.window.activeTextEditor.document.uri.fsPath, document.uri.fsPath);
    assert.equal(vscode.window.activeTextEditor.selection.active.line, 1);
    await vscode.window.tabGroups.close(vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => tab.label === shown.label));
  },

  async "concepts are found in all folders, saved or not"() {
    const concepts = await run("dunderstand.concepts", {});
    const blocking = concepts.find(({ concept }) => concept === "asyncio/blocking-call");
    const names = blocking.places.map(({ uri }) => path.basename(uri));
    assert.ok(names.includes("loud.py") && names.includes("quiet.py"), `${names}`);
  },

  async "a text that was never saved is explained"() {
    const content = "import time\n\nasync def f():\n    time.sleep(1)\n";
    const document = await vscode.workspace.openTextDocument({ language: "python", content });
    await vscode.window.showTextDocument(document);
    assert.match((await hovers(document, new vscode.Position(3, 10))).join("\n"), /Blocks the event loop/);
    await run("workbench.action.revertAndCloseActiveEditor");
  },

  async "a server that is killed comes back, with what was not saved"() {
    const document = await open("work/loud.py");
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), "import weakref\n\n\nclass Unsaved:\n    pass\n\n\nfading = weakref.ref(Unsaved())\n\n");
    assert.ok(await vscode.workspace.applyEdit(edit));
    const before = document.getText();
    const at = find(document, "weakref.|ref(");
    assert.match((await hovers(document, at)).join("\n"), /Whole page/);
    const server = client()._serverProcess.pid;
    const children = fs.readFileSync(`/proc/${server}/task/${server}/children`, "utf8").trim().split(" ").filter(Boolean);
    assert.equal(children.length, 1, "the tap's one child is the server");
    let stopped = false;
    const running = until(client().onDidChangeState, "the server again", () => (stopped ||= !client().isRunning()) && client().isRunning());
    const work = run("dunderstand.concepts", {}).then(() => "answered", () => "failed");
    process.kill(Number(children[0]), "SIGKILL");
    await Promise.all([work, running]);
    assert.equal(document.getText(), before);
    assert.ok(document.isDirty);
    await settled("a hover on the unsaved text", async () => (await hovers(document, at)).some((text) => text.includes("Whole page")));
    await run("workbench.action.files.revert");
  },
};

exports.run = async () => {
  const wanted = new RegExp(process.env.TESTS ?? "");
  const failed = [];
  const lines = [`VS Code ${vscode.version}, Node ${process.version}`];
  for (const [name, test] of Object.entries(tests).filter(([name]) => wanted.test(name))) {
    const start = Date.now();
    fs.writeFileSync(process.env.RESULT, `${[...lines, `     ${name}: it is running`].join("\n")}\n`);
    try {
      const remark = await test();
      lines.push(`ok   ${name} (${remark ?? `${Date.now() - start} ms`})`);
    } catch (error) {
      failed.push(name);
      lines.push(`FAIL ${name}\n${error.stack}`);
    }
  }
  lines.push(`${lines.length - 1 - failed.length} passed, ${failed.length} failed`);
  fs.writeFileSync(process.env.RESULT, `${lines.join("\n")}\n`);
  if (failed.length) throw new Error(failed.join(", "));
};
