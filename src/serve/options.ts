/** The command line of `npm start`. */

import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { Stop } from "./stop.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** 0 is any free port. */
  readonly tcpPort: number;
  /** The folder that the data is kept in; undefined keeps nothing. */
  readonly data: string | undefined;
}

export const USAGE = `Usage: npm start -- [options]

  --port N       HTTP port (8787; 0 takes any free one)
  --tcp-port N   TCP port of the text protocol (4040; 0 takes any free one)
  --host HOST    address to listen on (127.0.0.1); beyond this machine only with KV_TOKEN set
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
  if (!isLoopback(host) && token === undefined) {
    throw new Stop(
      `--host ${host} can be reached from other machines: set KV_TOKEN, the token that callers must show.`,
    );
  }
  return {
    host,
    port: port("--port", values.port),
    tcpPort: port("--tcp-port", values["tcp-port"]),
    data: values.memory ? undefined : (values.data ?? ".data"),
  };
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
        "tcp-port": { type: "string", default: "4040" },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string" },
        memory: { type: "boolean", default: false },
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
