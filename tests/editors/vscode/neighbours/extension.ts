// Clients for the type checkers that the variable CHECKERS names: a list of [name, command, ...arguments] as JSON.
import { LanguageClient } from "vscode-languageclient/node";

const clients: LanguageClient[] = [];

export async function activate() {
  const checkers: string[][] = JSON.parse(process.env.CHECKERS!);
  for (const [name, command, ...args] of checkers) {
    clients.push(new LanguageClient(name, { command, args }, { documentSelector: [{ language: "python" }] }));
  }
  await Promise.all(clients.map((client) => client.start()));
}

export const deactivate = () => Promise.all(clients.map((client) => client.dispose()));
