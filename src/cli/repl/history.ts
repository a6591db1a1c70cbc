/** The REPL's history, in a file in the user's state folder. */

import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const MAX_LINES = 1_000;

/** In $XDG_STATE_HOME, on Windows in %LOCALAPPDATA%, otherwise in ~/.local/state. */
export function historyFile(environment: NodeJS.ProcessEnv): string {
  const windows = process.platform === "win32" ? environment["LOCALAPPDATA"] : undefined;
  const folder = environment["XDG_STATE_HOME"] || windows || join(homedir(), ".local", "state");
  return join(folder, "durable-kv", "history");
}

/** Errors of the file are ignored: a missing history must not end the REPL. */
export class History {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Lines, the oldest first. */
  read(): string[] {
    const lines = this.#lines();
    if (lines.length <= 2 * MAX_LINES) return lines.slice(-MAX_LINES);
    const kept = lines.slice(-MAX_LINES);
    attempt(() => replaceFileSync(this.#file, `${kept.join("\n")}\n`));
    return kept;
  }

  /** Appends a line at once, because several REPLs may share the file. */
  add(line: string): void {
    if (!isWorthKeeping(line)) return;
    attempt(() => {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    });
  }

  #lines(): string[] {
    let text = "";
    attempt(() => (text = readFileSync(this.#file, "utf8")));
    return text.split("\n").filter((line) => line !== "");
  }
}

/** Replaces the file atomically: another REPL may read it, and this process may be killed while it writes. */
function replaceFileSync(file: string, text: string): void {
  const part = join(dirname(file), `.history-${randomBytes(12).toString("hex")}.part`);
  try {
    writeFileSync(part, text, { flag: "wx", mode: 0o600 });
    renameSync(part, file);
  } catch {
    rmSync(part, { force: true });
  }
}

/** False for AUTH lines, so that a token is never stored, and for empty lines. */
export function isWorthKeeping(line: string): boolean {
  return line.trim() !== "" && !/^\s*AUTH(\s|$)/i.test(line);
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Ignored: see History.
  }
}
