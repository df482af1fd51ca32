import * as vscode from "vscode";
import { toRange } from "./concepts";
import type { Ask } from "./extension";

type Step = { title: string; range: vscode.Range; applies: boolean; reason?: string | null };

/** Lists what leads the function at the cursor to async: what can be applied first, then what is in the way. */
export async function stepsToAsync(ask: Ask) {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const { uri } = editor.document;
  const steps = await ask<Step[]>("dunderstand.asyncSteps", { uri: `${uri}`, position: editor.selection.active }) ?? [];
  const items = steps.sort((one, other) => Number(other.applies) - Number(one.applies)).map((step) => ({
    label: `$(${step.applies ? "lightbulb" : "circle-slash"}) ${step.title.replace(/ \(.*\)$/, "")}`,
    description: `line ${step.range.start.line + 1}`,
    detail: step.reason ?? / \((.*)\)$/.exec(step.title)?.[1],
    step,
  }));
  const step = (await vscode.window.showQuickPick(items, { title: "Steps to async", placeHolder: items.length ? "" : "None for this function" }))?.step;
  if (!step) return;
  const selection = toRange(step.range);
  await vscode.window.showTextDocument(uri, { selection });
  if (!step.applies) return;
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", uri, selection, undefined, 50);
  const edit = actions.find(({ title, disabled }) => title === step.title && !disabled)?.edit;
  if (edit) await vscode.workspace.applyEdit(edit, { isRefactoring: true });
  else void vscode.window.showWarningMessage("The code has changed meanwhile: ask for the steps again.");
}
