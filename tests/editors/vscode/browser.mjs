// VS Code in a browser: the server side of it (code-server), and the window.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const { TOOLS, SCRATCH, CHROMIUM = "/usr/bin/chromium" } = process.env;
const ENTRY = path.join(TOOLS, "code-server/node_modules/code-server/out/node/entry.js");
const PATIENCE = Number(process.env.PATIENCE ?? 180) * 1000;

const SETTINGS = {
  "workbench.startupEditor": "none", "workbench.tips.enabled": false, "workbench.enableExperiments": false,
  "workbench.colorTheme": "Default Light Modern", "workbench.layoutControl.enabled": false, "window.commandCenter": false,
  // Nobody is asked for trust, and none is given: everything is to work without.
  "security.workspace.trust.startupPrompt": "never", "security.workspace.trust.banner": "never", "security.workspace.trust.untrustedFiles": "open",
  "telemetry.telemetryLevel": "off", "update.mode": "none",
  "extensions.autoUpdate": false, "extensions.autoCheckUpdates": false, "extensions.ignoreRecommendations": true,
  "editor.inlayHints.enabled": "on", "editor.minimap.enabled": false, "editor.fontSize": 14, "editor.hover.delay": 100,
  "editor.occurrencesHighlight": "off", "files.autoSave": "off", "git.enabled": false, "chat.commandCenter.enabled": false,
};

/** code-server with folders of its own. */
export class Editor {
  data = path.join(SCRATCH, "data");
  extensions = path.join(SCRATCH, "extensions");

  #flags = [
    "--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override",
    "--config", path.join(SCRATCH, "config.yaml"), "--user-data-dir", this.data, "--extensions-dir", this.extensions,
  ];

  /** Settings of the person, and of the machine: those are the only ones that may name a program. */
  write(machine, user = {}) {
    for (const [folder, settings] of [["User", { ...SETTINGS, ...user }], ["Machine", machine]]) {
      fs.mkdirSync(path.join(this.data, folder), { recursive: true });
      fs.writeFileSync(path.join(this.data, folder, "settings.json"), JSON.stringify(settings, null, 2));
    }
  }

  install(vsix) {
    fs.writeFileSync(path.join(SCRATCH, "config.yaml"), "");
    const installed = spawnSync("node", [ENTRY, ...this.#flags, "--install-extension", vsix, "--force"], { encoding: "utf8" });
    if (installed.status !== 0) throw new Error(`the extension cannot be installed: ${installed.stdout}${installed.stderr}`);
    const folder = fs.readdirSync(this.extensions).find((name) => name.startsWith("dunderstand."));
    return path.join(this.extensions, folder);
  }

  start(env) {
    const log = fs.openSync(path.join(SCRATCH, "code-server.log"), "a");
    this.process = spawn("node", [ENTRY, ...this.#flags, "--bind-addr", "127.0.0.1:0"], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", log] });
    return new Promise((resolve, reject) => {
      let said = "";
      this.process.on("exit", () => reject(new Error(`code-server has ended: ${said}`)));
      this.process.stdout.on("data", (data) => {
        said += data;
        fs.writeSync(log, data);
        const url = /listening on (http:\S+)/.exec(said)?.[1];
        if (url) resolve((this.url = url.replace(/\/$/, "")));
      });
    });
  }

  /** The end of what the servers have said in the extension's output, of all windows. */
  log() {
    const files = fs.readdirSync(path.join(this.data, "logs"), { recursive: true }).filter((name) => /dunderstand[^/]*\.log$/.test(name));
    return files.map((name) => {
      const lines = fs.readFileSync(path.join(this.data, "logs", name), "utf8").trimEnd().split("\n");
      return [`-- ${name}`, ...lines.slice(-25)].join("\n");
    }).join("\n");
  }

  stop() {
    this.process?.removeAllListeners("exit");
    this.process?.kill();
  }
}

export class Browser {
  /** One that remembers nothing. */
  static async start() {
    const browser = new Browser();
    const profile = fs.mkdtempSync(path.join(SCRATCH, "chromium-"));
    browser.context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM, headless: true, viewport: { width: 1000, height: 700 }, deviceScaleFactor: 1, handleSIGTERM: false,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    return browser;
  }

  /** Runs a test module in the extension host of a new window; the module says through its exit code how it went. */
  async runInHost(editor, workspace, extension, tests) {
    const remote = (folder) => `vscode-remote://${new URL(editor.url).host}${folder}`;
    const payload = [["extensionDevelopmentPath", remote(extension)], ["extensionTestsPath", remote(tests)]];
    const page = await this.context.newPage();
    const done = new Promise((resolve, reject) => {
      void page.exposeFunction("codeAutomationLog", () => {});
      void page.exposeFunction("codeAutomationExit", resolve);
      setTimeout(() => reject(new Error("the tests in the extension host did not end")), 450_000).unref();
    });
    await page.goto(`${editor.url}/?workspace=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const code = await done.catch(async (error) => {
      await page.screenshot({ path: path.join(SCRATCH, "failure-host.png") });
      throw error;
    });
    await page.close();
    return code;
  }

  /** A window on a folder. */
  async open(editor, folder) {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(`${editor.url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator(".monaco-workbench").waitFor();
    return page;
  }

  stop() {
    return this.context.close();
  }
}
