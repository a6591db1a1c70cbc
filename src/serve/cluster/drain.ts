/** `durable-kv cluster drain`: hands all buckets of a node over to others, and stops it. */

import { askToDrainNode } from "./control.ts";
import { ClusterError } from "./errors.ts";
import { parse } from "./options.ts";
import { readRunning } from "./run-folder.ts";

const OPTIONS = {
  data: { type: "string", default: ".data-cluster" },
  node: { type: "string", default: "1" },
} as const;

function usage(name: string): string {
  return `Usage: ${name} [options]

Hands all buckets of a node of this machine over to other nodes, and stops it. Ends when that is done, which
takes 5 to 8 s; the node serves meanwhile. The process ends with its last node, without an error: a service
manager that restarts only what failed leaves it stopped. Exit code: 0, or 1 if it could not hand all over.

  --data DIR   the folder that the node was started with (default .data-cluster)
  --node N     which node of that process (default 1)
  --help       show this help
`;
}

/** @returns the exit code @throws {ClusterError} `cluster_not_running` */
export async function drainCommand(args: readonly string[], name: string): Promise<number> {
  const values = parse(args, OPTIONS, name);
  if (values === "help") {
    process.stdout.write(usage(name));
    return 0;
  }
  const { data, node } = values;
  if (!/^\d{1,2}$/.test(node))
    throw new ClusterError(
      "cluster_option_invalid",
      `--node ${node}: expected the number of a node, from 1.`,
    );
  const running = readRunning(data);
  const drained = running === undefined ? "unknown" : await askToDrainNode(running.socket, Number(node));
  if (drained === "unknown") {
    throw new ClusterError(
      "cluster_not_running",
      `No node ${node} runs with the folder ${data}. Name the folder that it was started with: --data DIR`,
    );
  }
  if (drained === "stopped only") {
    process.stderr.write(
      `Node ${node} is stopped, and could not hand all its buckets over: others serve them when its lease has ended, in 20 s at most.\n`,
    );
    return 1;
  }
  process.stdout.write(`Node ${node} has handed its buckets over, and is stopped.\n`);
  return 0;
}
