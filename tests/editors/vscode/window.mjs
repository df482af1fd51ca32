// A window of VS Code, used by mouse and keyboard. Everything waits for what is to be seen, never for a time.
import fs from "node:fs";
import path from "node:path";

export class Window {
  /** What was done, for those who look for the cause of a failure. */
  steps = [];

  constructor(page, folder) {
    Object.assign(this, { page, folder });
    Window.latest = new Proxy(this, {
      get: (window, name) => {
        const member = window[name];
        if (typeof member !== "function") return member;
        return function (...given) {
          window.steps.push(`${name}(${given.filter((it) => typeof it === "string").map((it) => JSON.stringify(it)).join(", ")})`);
          return member.apply(this, given);
        };
      },
    });
    return Window.latest;
  }

  editor() {
    return this.page.locator(".editor-group-container.active .monaco-editor[data-uri]").first();
  }

  /** Chooses a row in the field at the top; `stays` if what is chosen asks on in that field. */
  async choose(text, row, stays = false) {
    const input = this.page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await input.fill(text);
    await row(this.page.locator(".quick-input-list .monaco-list-row")).first().click();
    if (!stays) await input.waitFor({ state: "hidden" });
  }

  /** Runs a command by its name in the palette. */
  async run(command, stays = false) {
    await this.page.keyboard.press("F1");
    await this.choose(`>${command}`, (rows) => rows.and(this.page.locator(`[aria-label="${command}"], [aria-label^="${command},"]`)), stays);
  }

  async open(name) {
    await this.page.keyboard.press("Control+P");
    await this.choose(name, (rows) => name.split("/").reduce((rows, part) => rows.filter({ hasText: part }), rows));
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

  /** Opens the menu of the light bulb at a word, which is to offer `title`. */
  async actions(line, word, title) {
    await this.put(line, word);
    await this.editor().locator(".lightBulbWidget:visible, [class*=gutter-lightbulb]:visible").first().waitFor();
    await this.page.keyboard.press("Control+.");
    const row = this.page.locator(".action-widget .monaco-list-row", { hasText: title });
    await row.first().waitFor();
    // A row is chosen by keys: another layer takes the clicks.
    const rows = await this.page.locator(".action-widget .monaco-list-row.action").count();
    for (let pressed = 0; pressed < rows && (await row.and(this.page.locator(".focused")).count()) === 0; pressed += 1) {
      await this.page.keyboard.press("ArrowDown");
    }
    await row.and(this.page.locator(".focused")).waitFor();
  }

  async type(text) {
    await this.editor().locator(".view-line").last().click();
    await this.page.keyboard.press("Control+End");
    await this.page.keyboard.type(text);
    await this.line(text).waitFor();
  }

  /** Saves everything; on disk, each of the files named is to hold its pattern then. */
  async save(wanted) {
    const saved = Object.entries(wanted).map(([name, pattern]) => written(path.join(this.folder, name), pattern));
    await this.run("File: Save All Files");
    await Promise.all(saved);
  }

  /** The page of the store that is open. */
  explanation() {
    return this.page.frameLocator("iframe.webview").frameLocator("iframe#active-frame");
  }

  async picture(name) {
    if (process.env.PICTURES) await this.page.screenshot({ path: path.join(process.env.PICTURES, `${name}.png`), animations: "disabled" });
  }
}

/** Once the file on disk holds the pattern. */
function written(file, pattern) {
  return new Promise((resolve) => {
    const looks = setInterval(() => fs.existsSync(file) && pattern.test(fs.readFileSync(file, "utf8")) && (clearInterval(looks), resolve()), 50);
    looks.unref();
  });
}
