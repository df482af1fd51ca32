import * as vscode from "vscode";
import type { Ask } from "./extension";

export type About = { id?: string; words?: string; uri?: string; position?: { line: number; character: number } };
type Page = { title: string; html: string } | null;

/** One panel that shows pages of the store; their links lead to other pages and to code. */
export class Explanation {
  private panel?: vscode.WebviewPanel;
  private trail: { about: About; title: string }[] = [];

  constructor(private readonly ask: Ask) {}

  /** Opens a page: on what stands at the cursor unless told otherwise, on words where nothing does. */
  async open(told?: About) {
    const editor = vscode.window.activeTextEditor;
    const about = told ?? (editor && { uri: `${editor.document.uri}`, position: editor.selection.active });
    const page = about && await this.ask<Page>("dunderstand.explain", { ...about, html: true });
    if (!page && !told) {
      const words = await vscode.window.showInputBox({ prompt: "Pages about these words", placeHolder: "lock across await" });
      if (words) await this.open({ words, uri: about?.uri });
    }
    if (about && page) this.show(page.title, page.html, this.trail.push({ about, title: page.title }) > 1);
  }

  async follow(link: string) {
    const [, scheme, rest] = /^(\w+):(.*)$/.exec(link) ?? [];
    if (scheme === "back") return this.open(this.trail.splice(-2)[0].about);
    if (scheme === "dunderstand") return this.open({ id: rest, uri: this.trail.at(-1)?.about.uri });
    const target = vscode.Uri.parse(link);
    const start = new vscode.Position(Number(target.fragment.slice(1)) - 1, 0);
    const viewColumn = vscode.window.visibleTextEditors[0]?.viewColumn ?? vscode.ViewColumn.One;
    await vscode.window.showTextDocument(target.with({ fragment: "" }), { viewColumn, selection: new vscode.Range(start, start) });
  }

  private show(title: string, html: string, hasBack: boolean) {
    // The look of VS Code's own Markdown pages: its files are read, that extension is not started.
    const look = vscode.extensions.getExtension("vscode.markdown-language-features")!.extensionUri;
    this.panel ??= vscode.window.createWebviewPanel("dunderstand", title, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableCommandUris: ["dunderstand.followLink"], enableFindWidget: true, localResourceRoots: [look] });
    this.panel.onDidDispose(() => { this.panel = undefined; this.trail = []; });
    const { webview } = this.panel;
    const command = (link: string) => `command:dunderstand.followLink?${encodeURIComponent(JSON.stringify([link.replaceAll("&amp;", "&")]))}`;
    const back = hasBack ? `<p><a href="back:">← ${this.trail.at(-2)?.title.replaceAll("<", "&lt;")}</a></p>` : "";
    const body = (back + html).replace(/href="((?:dunderstand|file|back):[^"]*)"/g, (_, link: string) => `href="${command(link)}"`);
    const styles = ["markdown.css", "highlight.css"].map((name) => webview.asWebviewUri(vscode.Uri.joinPath(look, "media", name)));
    this.panel.title = title;
    webview.html = `<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}">
      ${styles.map((style) => `<link rel="stylesheet" href="${style}">`).join("")}<body class="vscode-body">${body}`;
  }
}
