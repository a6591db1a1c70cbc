/** `npm run dev`: wrangler's server with hot reload, as safe as `npm start`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aborted, watchForEnd } from "./ending.ts";
import { checkToken, isLoopback } from "./options.ts";
import { runProgram, Stop } from "./stop.ts";

/** Where wrangler.toml has it listen. */
const DEFAULT_IP = "127.0.0.1";

async function main(): Promise<number> {
  const { parent, args } = ownOption(process.argv.slice(2));
  const ending = watchForEnd({ parent });
  const ip = valueOf(args, "--ip") ?? DEFAULT_IP;
  const inspector = valueOf(args, "--inspector-ip") ?? DEFAULT_IP;
  if (!isLoopback(inspector)) {
    throw new Stop(`--inspector-ip ${inspector}: a debugger has no token, so it is for this machine only.`);
  }
  const token = process.env["KV_TOKEN"] || undefined;
  checkToken(`--ip ${ip}`, ip, token);
  const folder = mkdtempSync(join(tmpdir(), "durable-kv-dev-"));
  try {
    const wrangler = spawn(process.execPath, [...wranglerDev(ip, folder, token), ...args], {
      stdio: "inherit",
      env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    });
    const ended = once(wrangler, "exit").then(([code]) => (code as number | null) ?? 1);
    // Aborted before it was started, too: then it is told at once.
    void aborted(ending).then(() => wrangler.kill("SIGTERM"));
    const code = await ended;
    return ending.aborted ? 0 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command, and what is ours to say to it. */
function wranglerDev(ip: string, folder: string, token: string | undefined): string[] {
  const path = createRequire(import.meta.url).resolve("wrangler/package.json");
  const { bin } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  // As `npm start` has it, and of small use in a deployment: what is seldom there happens while somebody looks on.
  const vars = [
    "KV_SWEEP_PERIOD_MS:30000",
    "KV_SWEEP_BATCH:2",
    ...(isLoopback(ip) ? ["KV_OPEN:loopback"] : []),
  ];
  return [
    join(dirname(path), bin["wrangler"] ?? ""),
    "dev",
    "--var",
    ...vars,
    ...(token === undefined ? [] : ["--env-file", secretFile(folder, token)]),
  ];
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

/** An option's value: the last one counts, as it does for wrangler. */
function valueOf(args: readonly string[], option: string): string | undefined {
  return args.reduce<string | undefined>((found, arg, index) => {
    if (arg === option) return args[index + 1] ?? found;
    return arg.startsWith(`${option}=`) ? arg.slice(option.length + 1) : found;
  }, undefined);
}

await runProgram(main);
