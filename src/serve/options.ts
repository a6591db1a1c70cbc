/** The options of the server. */

import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { StartupError } from "./run-program.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** 0 for any free port; undefined for no TCP. */
  readonly tcpPort: number | undefined;
  /** The data folder; undefined to keep data in memory only. */
  readonly data: string | undefined;
  /** Process id of the shell that started the server. When that shell ends, the server ends. Undefined if unknown. */
  readonly parent: number | undefined;
}

const OPTIONS = {
  port: { type: "string", default: "8787" },
  "tcp-port": { type: "string" },
  "no-tcp": { type: "boolean", default: false },
  host: { type: "string", default: "127.0.0.1" },
  data: { type: "string" },
  memory: { type: "boolean", default: false },
  // Internal: package.json's script passes the process id of its shell.
  parent: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Minimum length of the token if other machines can reach the server. */
const MIN_TOKEN_LENGTH = 16;

/**
 * The help.
 * @param name how the user calls the server
 */
export function usage(name: string): string {
  return `Usage: ${name} [options]

  --port N       HTTP port (default 8787; 0 for any free port)
  --tcp-port N   TCP port of the text protocol (default 4040; 0 for any free port)
  --no-tcp       do not serve the text protocol over TCP
  --host HOST    address to listen on (default 127.0.0.1); an address that other machines can
                 reach requires a KV_TOKEN of at least ${MIN_TOKEN_LENGTH} characters
  --data DIR     data folder (default .data)
  --memory       keep data in memory only: it is lost when the server stops
  --help         show this help

Environment: KV_TOKEN is the token that clients must send. KV_PARTITIONS and the other settings
that docs/settings.md lists are variables, too.
`;
}

/**
 * @param name how the user calls the server, for the messages
 * @returns the options; `help` for --help
 * @throws {StartupError} for an invalid option
 */
export function serveOptions(
  args: readonly string[],
  token: string | undefined,
  name = "npm start --",
): ServeOptions | "help" {
  const { values } = parse(args, name);
  if (values.help) return "help";
  if (values.memory && values.data !== undefined)
    throw new StartupError("--memory can't be combined with --data.");
  if (values.data === "") throw new StartupError("--data needs the name of a folder.");
  const { host } = values;
  if (host !== "localhost" && isIP(host) === 0)
    throw new StartupError(`--host ${host}: give an IP address, or localhost.`);
  checkToken(`--host ${host}`, host, token);
  if (values["no-tcp"] && values["tcp-port"] !== undefined)
    throw new StartupError("--no-tcp can't be combined with --tcp-port.");
  return {
    host,
    port: port("--port", values.port),
    tcpPort: values["no-tcp"] ? undefined : port("--tcp-port", values["tcp-port"] ?? "4040"),
    data: values.memory ? undefined : (values.data ?? ".data"),
    parent: /^\d+$/.test(values.parent ?? "") ? Number(values.parent) : undefined,
  };
}

/**
 * Refuses a missing or short token if other machines can reach the service.
 * @param option the option that makes it reachable, for the message
 * @throws {StartupError}
 */
export function checkToken(option: string, host: string, token: string | undefined): void {
  if (isLoopback(host)) return;
  if (token === undefined) {
    throw new StartupError(
      `${option} can be reached from other machines: set KV_TOKEN, the token that clients must send.`,
    );
  }
  if (token.length >= MIN_TOKEN_LENGTH) return;
  throw new StartupError(
    `${option} can be reached from other machines, and KV_TOKEN has only ${token.length} characters: use at least ${MIN_TOKEN_LENGTH}, for example from openssl rand -hex 16.`,
  );
}

/** Whether the address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

function parse(args: readonly string[], name: string) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS });
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split(". ")[0]}. See ${name} --help`);
  }
}

function port(option: string, text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 65_535) return number;
  throw new StartupError(`${option} ${text}: expected a port number from 0 to 65535.`);
}
