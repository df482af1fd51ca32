// A window of VS Code, used by mouse and keyboard. Everything waits for what is to be seen, never for a time.
import fs from "node:fs";
import path from "node:path";

export class Window {
  constructor(page, folder) {
    Object.assign(this, { page, folder });
  }

  editor() {
    return this.page.locator(".editor-group-container.active .monaco-editor[data-uri]").first();
  }

  async quickInput(text, row) {
    const input = this.page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await input.fill(text);
    await this.page.locator(".quick-input-list .monaco-list-row.focused", { hasText: row }).first().waitFor();
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** Runs a command by its name in the palette. */
  async run(command) {
    await this.page.keyboard.press("F1");
    await this.quickInput(`>${command}`, command);
  }

  async open(name) {
    await this.page.keyboard.press("Control+P");
    await this.quickInput(name, name);
    await this.page.locator(`.monaco-editor[data-uri$="/${name}"] .view-line`).first().waitFor();
  }

  line(text) {
    return this.editor().locator(".view-line", { hasText: text.replaceAll(" ", "\u00a0") }).last();
  }

  word(line, word) {
    return this.line(line).locator("span span", { hasText: word }).last();
  }

  async hint(text) {
    await this.editor().locator(".view-line", { hasText: text.replaceAll(" ", "\u00a0") }).first().waitFor();
  }

  async squiggle(kind, state = "attached") {
    await this.editor().locator(`.squiggly-${kind}`).first().waitFor({ state });
  }

  /** Rests the pointer on a word; gives the text of the hover that has `title`. */
  async hover(line, word, title) {
    await this.word(line, word).hover();
    const hover = this.page.locator(".monaco-hover:not(.hidden) .hover-row", { hasText: title }).first();
    await hover.waitFor();
    return (await hover.innerText()).replaceAll("\u00a0", " ");
  }

  /** Puts the cursor into a word. */
  async put(line, word) {
    await this.word(line, word).click();
  }

  async type(text) {
    await this.editor().locator(".view-line").last().click();
    await this.page.keyboard.press("Control+End");
    await this.page.keyboard.type(text);
    await this.line(text).waitFor();
  }

  async save(name, wanted) {
    const file = path.join(this.folder, name);
    const saved = new Promise((resolve) => {
      const look = () => wanted.test(fs.readFileSync(file, "utf8")) && (watcher.close(), resolve());
      const watcher = fs.watch(path.dirname(file), look);
    });
    await this.page.keyboard.press("Control+S");
    await saved;
  }

  /** The page of the store that is open. */
  explanation() {
    return this.page.frameLocator("iframe.webview").frameLocator("iframe#active-frame");
  }

  async picture(name) {
    if (process.env.PICTURES) await this.page.screenshot({ path: path.join(process.env.PICTURES, `${name}.png`), animations: "disabled" });
  }
}
