/** Attacks without the token. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { openFiles, openFilesLimit } from "../processes.ts";
import { openText } from "../text-connection.ts";
import { tally } from "./stored.ts";

const IDLE = 1_200;
const IDLE_MS = 4_000;
const OPEN_FILES = 1_024;
const UNFINISHED = { connections: 1_000, bytes: 2_000_000, ms: 8_000 };
const WRONG_TOKENS = 20_000;
const PIECE = Buffer.alloc(65_536, "x");

export const strangers: readonly Attack[] = [
  idle("tcp", "soft"),
  idle("http", "soft"),
  idle("tcp", "hard"),
  idle("http", "hard"),
  {
    name: "unfinished-lines",
    about: "1,000 TCP connections, each with 2 MB of an unfinished line.",
    server: { token: "set" },
    run: unfinishedLines,
  },
  {
    name: "wrong-auth",
    about: "20,000 wrong AUTH lines on one TCP connection, then the right one.",
    server: { token: "set" },
    run: wrongAuth,
  },
];

/** Node raises its soft limit to the hard one, and child processes inherit that: only a hard limit binds the engine. */
function idle(protocol: "tcp" | "http", kind: "soft" | "hard"): Attack {
  return {
    name: `idle-${protocol}${kind === "hard" ? "-hard" : ""}`,
    about: `1,200 idle ${protocol.toUpperCase()} connections under a ${kind} limit of 1,024 files.`,
    server: { token: "set", openFiles: { limit: OPEN_FILES, kind } },
    run: (attacker) => stayIdle(attacker, attacker.server[protocol]),
  };
}

async function stayIdle(attacker: Attacker, port: number): Promise<string> {
  const connections = await Promise.all(Array.from({ length: IDLE }, () => openText(attacker, port)));
  await attacker.wait(IDLE_MS);
  const { engine } = attacker.server.processes;
  const files = `the engine has ${openFiles(engine)} of ${openFilesLimit(engine)} files open`;
  const newClient = await attacker.newClient();
  return `${tally(connections.map((connection) => connection.ending()))}; ${files}; ${newClient}`;
}

async function unfinishedLines(attacker: Attacker): Promise<string> {
  const began = performance.now();
  const connections = await Promise.all(
    Array.from({ length: UNFINISHED.connections }, () => openText(attacker)),
  );
  const sent = await Promise.all(
    connections.map(async (connection) => {
      let bytes = 0;
      for (; bytes < UNFINISHED.bytes && !connection.isClosed && !attacker.isOver; bytes += PIECE.length) {
        await connection.send(PIECE.subarray(0, UNFINISHED.bytes - bytes));
      }
      return Math.min(bytes, UNFINISHED.bytes);
    }),
  );
  await attacker.wait(Math.max(0, UNFINISHED.ms - (performance.now() - began)));
  const megabytes = sent.reduce((sum, bytes) => sum + bytes, 0) / 1e6;
  return `${tally(connections.map((connection) => connection.ending()))}; ${megabytes.toFixed(0)} MB sent`;
}

async function wrongAuth(attacker: Attacker): Promise<string> {
  const right = String(attacker.server.token);
  const wrong = right.replaceAll(/./g, "x");
  const connection = await openText(attacker);
  const began = performance.now();
  await connection.send(`AUTH ${wrong}\n`.repeat(WRONG_TOKENS));
  await connection.send(`AUTH ${right}\n`);
  await attacker.until(() => connection.lines > WRONG_TOKENS || connection.isClosed);
  const seconds = (performance.now() - began) / 1_000;
  const { lines } = connection;
  return `${lines} replies in ${seconds.toFixed(1)} s, last: ${connection.latest(2)}; ${connection.ending()}`;
}
