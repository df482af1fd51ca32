// What the tests in the extension host share.
const path = require("node:path");
const vscode = require("vscode");

// Longer than anything takes on a slow machine: a test that waits so long fails.
const PATIENCE = 120_000;

/** What `get` gives, as soon as it gives something: asked at once and at every event. */
function until(event, what, get) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const value = get();
      if (!value) return;
      clearTimeout(timer);
      listener.dispose();
      resolve(value);
    };
    const timer = setTimeout(() => {
      listener.dispose();
      reject(new Error(`waited in vain for ${what}`));
    }, PATIENCE);
    const listener = event(look);
    look();
  });
}

/** What asking gives, as soon as it gives something: for what another server has to get ready, of which nothing tells. */
async function settled(what, ask) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    const value = await ask();
    if (value) return value;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The place of `|` in the only piece of the text that is like `marked`. */
function find(document, marked) {
  const before = marked.indexOf("|");
  const piece = marked.replace("|", "");
  const at = document.getText().indexOf(piece);
  if (at < 0) throw new Error(`no ${piece} in ${document.fileName}`);
  return document.positionAt(at + before);
}

const file = (name) => vscode.Uri.file(path.join(process.env.WORKSPACE, name));

async function open(name) {
  const document = await vscode.workspace.openTextDocument(file(name));
  await vscode.window.showTextDocument(document, { preview: false, viewColumn: vscode.ViewColumn.One });
  return document;
}

module.exports = { file, find, open, settled, until };
