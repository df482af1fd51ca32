import { execFileSync } from "node:child_process";
import * as os from "node:os";
import * as path from "node:path";

/** The server's program and version: the one `setting` names, else the bundled one, else the first on PATH; throws what to do. */
export function find(setting: string | null | undefined, extension: string): { command: string; version: string } {
  if (setting?.trim()) {
    const command = setting.trim().replace(/^~(?=[/\\])/, os.homedir());
    const asked = ask(command);
    if (typeof asked === "string") throw new Error(`The setting dunderstand.path names ${command}, which ${asked}.`);
    return asked;
  }
  const name = process.platform === "win32" ? "dunderstand.exe" : "dunderstand";
  for (const folder of [path.join(extension, "server"), ...(process.env.PATH ?? "").split(path.delimiter)].filter(path.isAbsolute)) {
    const asked = ask(path.join(folder, name));
    if (typeof asked === "object") return asked;
  }
  throw new Error("The program dunderstand was not found. Install it with `pip install dunderstand`, or set dunderstand.path to it.");
}

/** The program, or why it is none. */
function ask(command: string) {
  try {
    const said = execFileSync(command, ["--version"], { encoding: "utf8", timeout: 10_000, stdio: ["ignore", "pipe", "ignore"] });
    const version = /^dunderstand (\d\S*)/.exec(said)?.[1];
    return version ? { command, version } : "is another program";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "does not exist" : `cannot be run (${code ?? "it fails"})`;
  }
}
