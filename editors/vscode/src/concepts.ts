import * as vscode from "vscode";
import type { Ask } from "./extension";

/** A range of the protocol's as one of the editor's. */
export const toRange = ({ start, end }: vscode.Range) => new vscode.Range(start.line, start.character, end.line, end.character);

type Place = { uri: string; range: vscode.Range; text: string; summary: string | null };
type Concept = { concept: string; title: string; places: Place[]; omitted: number };

/** The tree of concepts and the places in the workspace where they are at work. */
export class Concepts implements vscode.TreeDataProvider<Concept | Place> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private concepts: Concept[] = [];

  constructor(private readonly ask: Ask) {}

  async refresh() {
    await vscode.commands.executeCommand("dunderstand.places.focus");
    this.concepts = await this.ask("dunderstand.concepts", {}) ?? this.concepts;
    this.changed.fire();
  }

  getChildren = (node?: Concept | Place) => !node ? this.concepts : "places" in node ? node.places : [];

  getTreeItem(node: Concept | Place) {
    if ("places" in node) {
      return Object.assign(new vscode.TreeItem(node.title, vscode.TreeItemCollapsibleState.Collapsed),
        { description: `${node.places.length + node.omitted}`, tooltip: node.concept, contextValue: "concept" });
    }
    const uri = vscode.Uri.parse(node.uri);
    return Object.assign(new vscode.TreeItem(node.text), {
      description: `${vscode.workspace.asRelativePath(uri)}:${node.range.start.line + 1}`,
      tooltip: new vscode.MarkdownString(node.summary ?? ""),
      command: { title: "Open", command: "vscode.open", arguments: [uri, { selection: toRange(node.range) }] },
    });
  }
}
