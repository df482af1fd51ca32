// Installs the extension into a VS Code in a browser and tests it there: in the extension host, then as a person would, by mouse and
// keyboard. With PICTURES=1 the pictures of the documentation are taken on the way.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Browser, Editor } from "./browser.mjs";
import { Window } from "./window.mjs";

const { SCRATCH, VSIX, WORKSPACE, MARKS, RESULT, NEIGHBOURS, HOST_TESTS, SERVER, NO_PYTHON_SERVER, OLD_PYTHON } = process.env;
const started = Date.now();
const log = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const editor = new Editor();
let browser;
let failures = 0;

async function test(name, run, window) {
  if (!new RegExp(process.env.TESTS ?? "").test(name)) return;
  (window ?? Window.latest)?.steps.splice(0);
  try {
    await Promise.race([run(), new Promise((_, reject) => setTimeout(() => reject(new Error("it does not end")), 500_000).unref())]);
    log(`ok   ${name}`);
  } catch (error) {
    failures += 1;
    log(`FAIL ${name}\n${error.stack}`);
    const used = window ?? Window.latest;
    if (used) console.log(`the steps, the last of which failed:\n  ${used.steps.join("\n  ")}`);
    console.log(`what the server said:\n${editor.log()}`);
    await used?.page.screenshot({ path: path.join(SCRATCH, `failure-${failures}.png`) }).catch(() => {});
  }
}

/** The program that a process runs; none for one that is gone or another person's. */
function programOf(process) {
  try {
    return fs.readlinkSync(`/proc/${process}/exe`);
  } catch {
    return undefined;
  }
}

try {
  editor.write({ "dunderstand.path": SERVER });
  const installed = editor.install(VSIX);
  log("the extension is installed");
  await editor.start({ EXTENSIONS: editor.extensions });
  log("VS Code is up");
  browser = await Browser.start();

  await test("in the extension host", async () => {
    try {
      assert.equal(await browser.runInHost(editor, path.join(WORKSPACE, "all.code-workspace"), NEIGHBOURS, HOST_TESTS), 0);
    } finally {
      if (fs.existsSync(RESULT)) console.log(fs.readFileSync(RESULT, "utf8").trimEnd().replace(/^/gm, "           "));
    }
  });

  // A browser that has shown pages to another window is slow to show them in the next.
  await browser.stop();
  browser = await Browser.start();
  const window = new Window(await browser.open(editor, path.join(WORKSPACE, "seen")), path.join(WORKSPACE, "seen"));
  await window.run("View: Toggle Primary Side Bar Visibility");
  log("a window is open");
  const seen = (name, run) => test(name, () => run(window), window);

  await seen("hints and a hover on an assignment that a descriptor takes", async () => {
    await window.open("thermometer.py");
    await window.hint("→ Checked.__set__");
    await window.picture("hints");
    const text = await window.hover("outside.celsius = 35", "celsius", "Assignment through a data descriptor");
    assert.match(text, /calls Checked\.__set__\(/);
    assert.match(text, /Whole page/);
    await window.picture("hover");
  });

  await seen("the whole page opens from the hover; its links lead to other pages and back", async () => {
    await window.page.locator(".monaco-hover a", { hasText: "Whole page" }).first().click();
    const heading = (text) => window.explanation().locator("h1", { hasText: text });
    await heading("Assignment through a data descriptor").waitFor();
    await window.page.keyboard.press("Escape");
    await window.picture("page");
    await window.explanation().locator("h2", { hasText: "See also" }).locator("xpath=following::a[1]").click();
    await window.explanation().locator("a", { hasText: "← Assignment through a data descriptor" }).click();
    await heading("Assignment through a data descriptor").waitFor();
    await window.explanation().locator("a", { hasText: "line 23" }).first().click();
    await window.page.locator(".editor-status-selection, [id='status.editor.selection']", { hasText: "Ln 23" }).first().waitFor();
    await window.run("View: Close All Editors");
  });

  await seen("a diagnostic shows the places that belong to it", async () => {
    await window.open("sessions.py");
    await window.squiggle("warning");
    await window.run("Go to Next Problem (Error, Warning, Info)");
    const problem = window.page.locator(".marker-widget", { hasText: "Strong reference to" });
    await problem.waitFor();
    await problem.locator("text=the weak reference to").first().waitFor();
    await window.picture("diagnostic");
    await window.page.keyboard.press("Escape");
  });

  await seen("the light bulb offers the fix; applied and saved, it is on disk", async () => {
    await window.open("poll.py");
    await window.squiggle("warning");
    await window.actions("time.sleep(0.1)", "sleep", "await asyncio.sleep");
    await window.picture("actions");
    await window.page.keyboard.press("Enter");
    await window.squiggle("warning", "detached");
    await window.save({ "poll.py": /await asyncio\.sleep\(0\.1\)/ });
  });

  const madeAsync = (folder) => ({
    [`${folder}/prices.py`]: /^async def load_price\(item\):\n    await asyncio\.sleep\(0\.1\)$/m,
    [`${folder}/cart.py`]: /^async def total[^]*amount \+= await load_price\(item\)$/m,
    [`${folder}/checkout.py`]: /print\("to pay:", await total\(items\)\)/,
  });
  await seen("a function that waits becomes async together with its callers, in three files", async () => {
    await window.run("View: Close All Editors");
    await window.open("shop/prices.py");
    await window.run("View: Split Editor Right");
    await window.open("shop/cart.py");
    await window.run("View: Focus First Editor Group");
    await window.actions("def load_price(item):", "load_price", "Make `load_price` async, with its caller `total`, in 3 files");
    await window.picture("refactor");
    await window.page.keyboard.press("Enter");
    await window.line("async def load_price(item):").waitFor();
    await window.page.locator(".view-line", { hasText: "await\u00a0load_price" }).waitFor();
    await window.picture("applied");
    await window.save(madeAsync("shop"));
    await window.run("View: Close All Editors");
  });

  await seen("the steps to async are listed, and the one that is chosen is applied", async () => {
    await window.open("kiosk/prices.py");
    await window.put("def load_price(item):", "load_price");
    await window.run("dunderstand: Steps to Async for This Function", true);
    const step = (rows) => rows.filter({ hasText: "Make `load_price` async" });
    await step(window.page.locator(".quick-input-list .monaco-list-row")).first().waitFor();
    await window.picture("steps");
    await window.choose("Make", step);
    await window.line("async def load_price(item):").waitFor();
    await window.save(madeAsync("kiosk"));
    await window.run("View: Close All Editors");
  });

  await seen("the concepts of the workspace are a tree of places", async () => {
    await window.run("dunderstand: Show Concepts in Workspace");
    // Room for the tree: the files above it are folded.
    await window.page.locator(".pane-header[aria-expanded=true]", { hasText: "seen" }).click();
    const row = (text) => window.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
    await row("asyncio.run").click();
    await row("asyncio.run(poll(2))").click();
    await window.page.locator(".tab.active", { hasText: "poll.py" }).waitFor();
    await window.picture("concepts");
    await window.run("View: Close All Editors");
  });

  await test("no code of an untrusted workspace is run, whatever its settings name", async () => {
    const traps = path.join(WORKSPACE, "trap");
    const window = new Window(await browser.open(editor, traps), traps);
    await window.page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
    await window.open("use.py");
    await window.squiggle("warning");
    assert.match(await window.hover("made.attribute = 2", "attribute", "Assignment through a data descriptor"), /calls Field\.__set__\(/, "code in the environment is read");
    await window.run("dunderstand: Restart Server");
    await window.run("dunderstand: Show Concepts in Workspace");
    await window.page.locator(".pane-body .monaco-list-row", { hasText: "Blocks the event loop" }).first().waitFor();
    const marks = () => fs.readdirSync(MARKS).map((name) => `${name}: ${fs.readFileSync(path.join(MARKS, name), "utf8")}`);
    assert.deepEqual(marks(), []);
    // The traps work: each leaves a mark when it is run.
    for (const trap of [".venv/bin/python", "dunderstand"]) execFileSync(path.join(traps, trap), ["--version"]);
    assert.deepEqual(fs.readdirSync(MARKS).sort(), ["dunderstand", "python"]);
    await window.page.close();
  });

  // What goes wrong: one message that says what to do, and editing goes on.
  const wrong = (name, machine, message) => seen(name, async () => {
    await window.run("Notifications: Clear All Notifications");
    editor.write(machine);
    const toasts = window.page.locator(".notification-toast");
    await toasts.filter({ hasText: message }).waitFor();
    assert.equal(await toasts.count(), 1, `one message: ${await toasts.allInnerTexts()}`);
    await window.open("poll.py");
    await window.type("# still editing");
    await window.run("Notifications: Clear All Notifications");
    await window.run("File: Revert File");
  });
  await wrong("a setting that names nothing", { "dunderstand.path": "/nowhere/dunderstand" }, "The setting dunderstand.path names /nowhere/dunderstand, which does not exist.");
  await wrong("a setting that names another program", { "dunderstand.path": "/bin/true" }, "which is another program");
  await wrong("no Python at all", { "dunderstand.path": NO_PYTHON_SERVER }, "no Python was found: the code is explained");
  await wrong("an environment that does not exist", { "dunderstand.path": SERVER, "dunderstand.python": "/nowhere/python" }, "/nowhere/python does not exist");
  await wrong("an older Python", { "dunderstand.path": SERVER, "dunderstand.python": OLD_PYTHON }, "is 3.7, which is older than what is explained here");
  await seen("without the setting, the program in the extension runs", async () => {
    editor.write({});
    await window.open("thermometer.py");
    await window.hint("→ Checked.__set__");
    const bundled = path.join(installed, "server/dunderstand");
    const isRunning = () => fs.readdirSync("/proc").some((name) => /^\d+$/.test(name) && programOf(name) === bundled);
    // Looked for at every frame that the window draws.
    for (const end = Date.now() + 60_000; !isRunning() && Date.now() < end; ) await window.page.evaluate(() => new Promise(requestAnimationFrame));
    assert.ok(isRunning(), "the bundled program runs");
  });
  fs.renameSync(path.join(installed, "server"), path.join(installed, "elsewhere"));
  await seen("no program at all", async () => {
    await window.run("Notifications: Clear All Notifications");
    await window.run("dunderstand: Restart Server");
    const toast = window.page.locator(".notification-toast", { hasText: "The program dunderstand was not found. Install it with `pip install dunderstand`" });
    await toast.waitFor();
    await toast.locator("text=Open Settings").waitFor();
    await window.open("poll.py");
    await window.type("# still editing");
  });
} catch (error) {
  failures += 1;
  log(`FAIL ${error.stack}`);
} finally {
  await browser?.stop();
  editor.stop();
}
log(failures ? `${failures} failed` : "all passed");
process.exit(failures ? 1 : 0);
