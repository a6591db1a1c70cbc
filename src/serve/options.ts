/** The command line of `npm start`. */

import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { Stop } from "./stop.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** 0 is any free port; undefined serves no TCP. */
  readonly tcpPort: number | undefined;
  /** The folder that the data is kept in; undefined keeps nothing. */
  readonly data: string | undefined;
  /** Process id of the shell that started the server, if it has said so: when that has gone, the server ends. */
  readonly parent: number | undefined;
}

/** Characters in the shortest token that other machines may try to guess. */
const MIN_TOKEN_LENGTH = 16;

export const USAGE = `Usage: npm start -- [options]

  --port N       HTTP port (8787; 0 takes any free one)
  --tcp-port N   TCP port of the text protocol (4040; 0 takes any free one)
  --no-tcp       serve no text protocol over TCP
  --host HOST    address to listen on (127.0.0.1); beyond this machine only with a KV_TOKEN of
                 ${MIN_TOKEN_LENGTH} characters or more
  --data DIR     folder that the data is kept in (.data)
  --memory       keep nothing: the data is gone when the server stops
  --help         this text

Environment: KV_TOKEN, the token that callers must show; KV_PARTITIONS and the other settings of
wrangler.toml, each of which it overrides.
`;

/**
 * @returns the options; `help` if that is what was asked for.
 * @throws {Stop} for an option that makes no sense.
 */
export function serveOptions(args: readonly string[], token: string | undefined): ServeOptions | "help" {
  const { values } = parse(args);
  if (values.help) return "help";
  if (values.memory && values.data !== undefined)
    throw new Stop("--memory keeps nothing, so it goes without --data.");
  if (values.data === "") throw new Stop("--data wants the name of a folder.");
  const { host } = values;
  if (host !== "localhost" && isIP(host) === 0)
    throw new Stop(`--host ${host}: write an IP address, or localhost.`);
  checkToken(`--host ${host}`, host, token);
  if (values["no-tcp"] && values["tcp-port"] !== undefined)
    throw new Stop("--no-tcp serves no TCP, so it goes without --tcp-port.");
  return {
    host,
    port: port("--port", values.port),
    tcpPort: values["no-tcp"] ? undefined : port("--tcp-port", values["tcp-port"] ?? "4040"),
    data: values.memory ? undefined : (values.data ?? ".data"),
    parent: /^\d+$/.test(values.parent ?? "") ? Number(values.parent) : undefined,
  };
}

/**
 * Refuses a token that the machines which can reach the service could guess.
 * @param option what made it reachable, as it was written
 * @throws {Stop}
 */
export function checkToken(option: string, host: string, token: string | undefined): void {
  if (isLoopback(host)) return;
  if (token === undefined) {
    throw new Stop(
      `${option} can be reached from other machines: set KV_TOKEN, the token that callers must show.`,
    );
  }
  if (token.length >= MIN_TOKEN_LENGTH) return;
  throw new Stop(
    `${option} can be reached from other machines, and KV_TOKEN has ${token.length} characters: take at least ${MIN_TOKEN_LENGTH}, from openssl rand -hex 16 for example.`,
  );
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "8787" },
        "tcp-port": { type: "string" },
        "no-tcp": { type: "boolean", default: false },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string" },
        memory: { type: "boolean", default: false },
        // Not for people: package.json's script says which process is its shell.
        parent: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new Stop(`${(error as Error).message.split(". ")[0]}. See npm start -- --help`);
  }
}

function port(option: string, text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 65_535) return number;
  throw new Stop(`${option} ${text}: a port is a whole number from 0 to 65535.`);
}
