/** The command line of the torture. */

import { parseArgs } from "node:util";
import { type Fault, FAULTS } from "./faults/faults.ts";
import { type Broken, BROKEN } from "./broken.ts";

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Build the server with this bug. */
  readonly broken: Broken | undefined;
  /** End with the first violation. */
  readonly first: boolean;
  /** A cluster of three nodes in place of a server. */
  readonly cluster: boolean;
  /** Of its nodes, in seconds. */
  readonly lease: number;
  /** Check this history, which an earlier run has written, and make none. */
  readonly check: string | undefined;
}

/** What the engine's own lease of 20 s can be divided into. */
const LEASES = ["2", "4", "5", "10", "20"] as const;

export const USAGE = `Usage: npm run torture -- [options]

  --minutes N     how long (default 1)
  --seed N        what the faults are drawn by (default: random)
  --faults LIST   classes of faults, separated by commas (default: all): ${FAULTS.join(", ")}
  --broken NAME   build the server with a bug, which has to be found: ${BROKEN.join(", ")}
  --cluster       a cluster of three nodes: they are killed with their disks deleted, drained, cut off; with
                  --minutes, --seed, --lease and --first only
  --lease N       seconds of their leases: ${LEASES.join(", ")}; 4 if left out. With a shorter one than
                  the engine's own 20 s, nodes leave when the machine stands still for a part of a second
  --first         end with the first violation
  --check FILE    check a history that an earlier run has written
  --help          show this help

Exit code: 0, 1 if anything is illegal, lost, or not as promised, 2 for an invalid option.
`;

/** @throws {Error} for an invalid option */
export function optionsOf(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string" },
      faults: { type: "string" },
      cluster: { type: "boolean", default: false },
      broken: { type: "string" },
      lease: { type: "string" },
      first: { type: "boolean", default: false },
      check: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.seed === "") throw new Error("--seed takes a whole number");
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const minutes = Number(values.minutes);
  if (!Number.isInteger(seed) || seed < 0)
    throw new Error(`--seed takes a whole number, and not ${values.seed}`);
  if (!(minutes > 0 && minutes < 100_000))
    throw new Error(`--minutes takes a number above 0, and not ${values.minutes}`);
  if (values.cluster && (values.faults ?? values.broken) !== undefined)
    throw new Error("--cluster has faults of its own, and takes neither --faults nor --broken");
  if (values.lease !== undefined && !values.cluster) throw new Error("--lease is an option of --cluster");
  const lease = Number(oneOf("--lease", LEASES, values.lease ?? "4"));
  const listed = values.faults ?? FAULTS.join(",");
  const faults = listed === "" ? [] : listed.split(",").map((name) => oneOf("--faults", FAULTS, name));
  const broken = values.broken === undefined ? undefined : oneOf("--broken", BROKEN, values.broken);
  const { first, cluster, check } = values;
  return { minutes, seed, faults, broken, first, cluster, lease, check };
}

function oneOf<T extends string>(option: string, names: readonly T[], name: string): T {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new Error(`${option} has "${name}"; it takes ${names.join(", ")}`);
  return found;
}
