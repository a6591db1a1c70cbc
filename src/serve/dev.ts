/** `npm run dev`: wrangler's server with hot reload, as safe as `npm start`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aborted, watchForEnd } from "./ending.ts";
import { LOCAL_VARS } from "./local-vars.ts";
import { checkToken, isLoopback } from "./options.ts";
import { runProgram, Stop } from "./stop.ts";

/** Where wrangler.toml has it listen. */
const DEFAULT_IP = "127.0.0.1";

async function main(): Promise<number> {
  const { parent, args: given } = ownOption(process.argv.slice(2));
  const ending = watchForEnd({ parent });
  const { ip, inspector, args } = listening(given);
  if (!isLoopback(inspector)) {
    throw new Stop(`--inspector-ip ${inspector}: a debugger has no token, so it is for this machine only.`);
  }
  const token = process.env["KV_TOKEN"] || undefined;
  checkToken(`--ip ${ip}`, ip, token);
  const folder = mkdtempSync(join(tmpdir(), "durable-kv-dev-"));
  // However this ends: there is a token in it.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const wrangler = spawn(process.execPath, [...wranglerDev(ip, inspector, folder, token), ...args], {
    stdio: "inherit",
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  const ended = once(wrangler, "exit").then(([code]) => (code as number | null) ?? 1);
  // Aborted before it was started, too: then it is told at once.
  void aborted(ending).then(() => wrangler.kill("SIGTERM"));
  const code = await ended;
  return ending.aborted ? 0 : code;
}

/** The command, and what is ours to say to it. */
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
 * Where it is to listen, taken out of its options: wrangler is told what was looked at here, and nothing else.
 * @throws {Stop} for what would have it listen elsewhere without our seeing it
 */
function listening(given: readonly string[]): {
  readonly ip: string;
  readonly inspector: string;
  readonly args: readonly string[];
} {
  const said = { ip: DEFAULT_IP, inspector: DEFAULT_IP };
  const args: string[] = [];
  for (let at = 0; at < given.length; at += 1) {
    const arg = given[at] ?? "";
    if (arg === "--") throw new Stop("-- is not for npm run dev: write wrangler's options without it.");
    // Every option may be written so: yargs, which wrangler reads them with, takes camel case for dashes.
    const [, name = "", value] = /^-+([^=]+)(?:=(.*))?$/.exec(arg) ?? [];
    const option = name.replaceAll("-", "").toLowerCase();
    if (option.startsWith("tunnel") || option === "remote") {
      throw new Stop(`${arg} is not for npm run dev: others could reach it. Deploy it, with a token.`);
    }
    if (option !== "ip" && option !== "inspectorip") {
      args.push(arg);
      continue;
    }
    if (value === undefined) at += 1;
    said[option === "ip" ? "ip" : "inspector"] = value ?? given[at] ?? "";
  }
  return { ...said, args };
}

/** A file that only we can read, and not an argument: those are for every user of the machine to see. */
function secretFile(folder: string, token: string): string {
  const quote = ["'", '"', "`"].find((mark) => !token.includes(mark));
  if (quote === undefined || /[\r\n\\]/.test(token)) {
    throw new Stop(
      "KV_TOKEN has a line break, a backslash or all three kinds of quotes: npm run dev can't hand that on.",
    );
  }
  const path = join(folder, "secrets.env");
  writeFileSync(path, `KV_TOKEN=${quote}${token}${quote}\n`, { mode: 0o600 });
  return path;
}

/** What package.json's script says to us, and what is wrangler's. */
function ownOption(given: readonly string[]): {
  readonly parent: number | undefined;
  readonly args: string[];
} {
  if (given[0] !== "--parent") return { parent: undefined, args: [...given] };
  return { parent: /^\d+$/.test(given[1] ?? "") ? Number(given[1]) : undefined, args: given.slice(2) };
}

await runProgram(main);
