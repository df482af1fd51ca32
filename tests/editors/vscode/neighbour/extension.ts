// A client for the type checker that the variable TY names.
import { LanguageClient } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate() {
  client = new LanguageClient("ty", { command: process.env.TY!, args: ["server"] }, { documentSelector: [{ language: "python" }] });
  await client.start();
}

export const deactivate = () => client?.dispose();
