/** `npm run dev`: wrangler's server with hot reload, with the same security checks as `npm start`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aborted, watchForShutdown } from "./shutdown.ts";
import { LOCAL_VARS } from "./local-vars.ts";
import { checkToken, isLoopback } from "./options.ts";
import { runProgram, StartupError } from "./run-program.ts";

/** The address in wrangler.toml. */
const DEFAULT_IP = "127.0.0.1";

async function main(): Promise<number> {
  const { parent, args: given } = ownOption(process.argv.slice(2));
  const shutdown = watchForShutdown({ parent });
  const { ip, inspector, args } = listening(given);
  if (!isLoopback(inspector)) {
    throw new StartupError(
      `--inspector-ip ${inspector}: the debugger has no token, so it may only listen on this machine.`,
    );
  }
  const token = process.env["KV_TOKEN"] || undefined;
  checkToken(`--ip ${ip}`, ip, token);
  const folder = mkdtempSync(join(tmpdir(), "durable-kv-dev-"));
  // Remove it however this process ends, because it contains the token.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const wrangler = spawn(process.execPath, [...wranglerDev(ip, inspector, folder, token), ...args], {
    stdio: "inherit",
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  const ended = once(wrangler, "exit").then(([code]) => (code as number | null) ?? 1);
  // Also if the shutdown came before the start.
  void aborted(shutdown).then(() => wrangler.kill("SIGTERM"));
  const code = await ended;
  return shutdown.aborted ? 0 : code;
}

/** The arguments that start wrangler, before those of the user. */
function wranglerDev(ip: string, inspector: string, folder: string, token: string | undefined): string[] {
  const path = createRequire(import.meta.url).resolve("wrangler/package.json");
  const { bin } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  const vars = [
    ...Object.entries(LOCAL_VARS).map(([name, value]) => `${name}:${value}`),
    ...(isLoopback(ip) ? ["KV_OPEN:loopback"] : []),
  ];
  return [
    join(dirname(path), bin["wrangler"] ?? ""),
    "dev",
    `--ip=${ip}`,
    `--inspector-ip=${inspector}`,
    "--var",
    ...vars,
    ...(token === undefined ? [] : ["--env-file", secretFile(folder, token)]),
  ];
}

/**
 * Takes the listen addresses out of wrangler's options, so that wrangler gets exactly the addresses that were checked.
 * @throws {StartupError} for an option that would expose the server in a way that is not checked here
 */
function listening(given: readonly string[]): {
  readonly ip: string;
  readonly inspector: string;
  readonly args: readonly string[];
} {
  const addresses = { ip: DEFAULT_IP, inspector: DEFAULT_IP };
  const args: string[] = [];
  for (let at = 0; at < given.length; at += 1) {
    const arg = given[at] ?? "";
    if (arg === "--")
      throw new StartupError("npm run dev does not accept --: give wrangler's options without it.");
    // wrangler's parser, yargs, accepts camel case in place of dashes, so compare without dashes and case.
    const [, name = "", value] = /^-+([^=]+)(?:=(.*))?$/.exec(arg) ?? [];
    const option = name.replaceAll("-", "").toLowerCase();
    if (option.startsWith("tunnel") || option === "remote") {
      throw new StartupError(
        `npm run dev does not accept ${arg}: other machines could reach the server. Deploy it, with a token.`,
      );
    }
    if (option !== "ip" && option !== "inspectorip") {
      args.push(arg);
      continue;
    }
    if (value === undefined) at += 1;
    addresses[option === "ip" ? "ip" : "inspector"] = value ?? given[at] ?? "";
  }
  return { ...addresses, args };
}

/** Writes the token to a file that only this user can read. Arguments are visible to all users of the machine. */
function secretFile(folder: string, token: string): string {
  const quote = ["'", '"', "`"].find((mark) => !token.includes(mark));
  if (quote === undefined || /[\r\n\\]/.test(token)) {
    throw new StartupError(
      "KV_TOKEN contains a line break, a backslash or all three kinds of quotes, which npm run dev can't pass on.",
    );
  }
  const path = join(folder, "secrets.env");
  writeFileSync(path, `KV_TOKEN=${quote}${token}${quote}\n`, { mode: 0o600 });
  return path;
}

/** Splits off the option of package.json's script; the rest is for wrangler. */
function ownOption(given: readonly string[]): {
  readonly parent: number | undefined;
  readonly args: string[];
} {
  if (given[0] !== "--parent") return { parent: undefined, args: [...given] };
  return { parent: /^\d+$/.test(given[1] ?? "") ? Number(given[1]) : undefined, args: given.slice(2) };
}

await runProgram(main);
