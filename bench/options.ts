/** The arguments of `npm run bench`. */

import { parseArgs, type ParseArgsConfig } from "node:util";

export const USAGE = `npm run bench -- [name part]
npm run bench -- --peers [name part] [--rounds N] [--seconds S] [--save]`;

export interface BenchOptions {
  /** Part of the names of what to run; undefined for everything. */
  readonly only: string | undefined;
  /** Undefined for the comparison with the minimal Worker only. */
  readonly peers: PeerOptions | undefined;
}

export interface PeerOptions {
  readonly rounds: number;
  /** Seconds per case, contestant and round. */
  readonly seconds: number;
  /** Whether a run that is not a full one writes its results, too. */
  readonly save: boolean;
}

export const DEFAULTS: PeerOptions = { rounds: 5, seconds: 2, save: false };

/** Most that a run takes, so that a slip of the keyboard does not occupy the machine for days. */
const MOST = { rounds: 100, seconds: 60 };

const config = {
  allowPositionals: true,
  options: {
    peers: { type: "boolean" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    save: { type: "boolean" },
  },
} satisfies ParseArgsConfig;

/** The arguments are wrong. The message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws {UsageError} */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(args);
  const [only, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`one name part only, so quote it: "${positionals.join(" ")}"`);
  const { peers = false, rounds, seconds, save = false } = values;
  if (!peers) {
    const other = Object.keys(values)[0];
    if (other !== undefined) throw new UsageError(`--${other} needs --peers`);
    return { only, peers: undefined };
  }
  return {
    only,
    peers: {
      rounds: rounds === undefined ? DEFAULTS.rounds : readRounds(rounds),
      seconds: seconds === undefined ? DEFAULTS.seconds : readSeconds(seconds),
      save,
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ ...config, args: [...args] });
  } catch (error) {
    // After the first sentence, it explains how to say what is not meant.
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= MOST.rounds) return rounds;
  throw new UsageError(`--rounds takes a whole number from 1 to ${MOST.rounds}, not ${text}`);
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= MOST.seconds) return seconds;
  throw new UsageError(`--seconds takes a number from 0.1 to ${MOST.seconds}, not ${text}`);
}
