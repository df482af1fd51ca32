import * as vscode from "vscode";
import { ExecuteCommandRequest, LanguageClient, LSPErrorCodes, State } from "vscode-languageclient/node";
import { find } from "./binary";
import { Concepts } from "./concepts";
import { Explanation, type About } from "./explanation";
import { stepsToAsync } from "./steps";

const SELECTOR = [{ language: "python", scheme: "file" }, { language: "python", scheme: "untitled" }];
const PAGE = "dunderstand.openExplanation";

/** Asks the server by one of its commands; undefined if there is no answer, of which the person has been told. */
export type Ask = <T>(command: string, argument: object) => Promise<T | undefined>;

let client: LanguageClient | undefined;

export function activate(context: vscode.ExtensionContext) {
  const output = vscode.window.createOutputChannel("dunderstand");
  const status = Object.assign(vscode.languages.createLanguageStatusItem("dunderstand", SELECTOR),
    { text: "dunderstand", command: { title: "Show output", command: "dunderstand.showOutput" } });
  const log = (error: unknown) => output.appendLine(`${error}`);

  async function start() {
    await client?.start().then(() => client?.dispose()).catch(log);
    client = undefined;
    try {
      const { command, version } = find(vscode.workspace.getConfiguration("dunderstand").get("path"), context.extensionPath);
      output.appendLine(`${command}, version ${version}`);
      client = new LanguageClient("dunderstand", { command, args: ["server"] }, {
        documentSelector: SELECTOR,
        outputChannel: output,
        // Hovers lead to pages by this command, and by no other.
        initializationOptions: { pageCommand: PAGE }, markdown: { isTrusted: { enabledCommands: [PAGE] } },
        middleware: { workspace: { didChangeConfiguration: (sections, next) => next(sections).catch(log) } },
      });
      client.onDidChangeState(({ newState }) => Object.assign(status, { detail: version, busy: newState !== State.Running,
        severity: vscode.LanguageStatusSeverity.Information }));
      await client.start();
    } catch (error) {
      const { message } = error as Error;
      log(message);
      Object.assign(status, { detail: message, busy: false, severity: vscode.LanguageStatusSeverity.Error });
      void vscode.window.showErrorMessage(message, "Open Settings").then((chosen) => chosen
        && vscode.commands.executeCommand("workbench.action.openSettings", "dunderstand.path"));
    }
  }

  let started = start();
  const restart = () => started = started.then(start);
  const ask: Ask = async (command, argument) => {
    try {
      return client ? await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] }) : void restart();
    } catch (error) {
      const { code, message } = error as { code?: number; message: string };
      if (code !== LSPErrorCodes.RequestCancelled) void vscode.window.showWarningMessage(`dunderstand: ${message}`);
      return undefined;
    }
  };

  const explanation = new Explanation(ask);
  const concepts = new Concepts(ask);
  const commands: Record<string, (...args: any[]) => unknown> = {
    restart,
    showOutput: () => output.show(),
    openExplanation: (about?: About) => explanation.open(about),
    followLink: (link: string) => explanation.follow(link),
    explainConcept: ({ concept }: { concept: string }) => explanation.open({ id: concept }),
    showConcepts: () => concepts.refresh(),
    stepsToAsync: () => stepsToAsync(ask),
  };
  context.subscriptions.push(
    output, status, vscode.window.registerTreeDataProvider("dunderstand.places", concepts),
    ...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`dunderstand.${name}`, run)),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("dunderstand.path") && restart()));
  return { started: () => started, client: () => client };
}

export const deactivate = () => client?.dispose();
