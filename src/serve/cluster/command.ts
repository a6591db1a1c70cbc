/** `durable-kv cluster`: starts nodes, shows them, stops them. */

import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { address } from "../serve.ts";
import type { ServeCommand } from "../command.ts";
import { aborted, watchForShutdown } from "../shutdown.ts";
import { startAdmin, type Admin } from "./admin.ts";
import { serveControl } from "./control.ts";
import { nodeFolder, type NodeFolder } from "./data-folder.ts";
import { drainCommand } from "./drain.ts";
import { clusterEngine } from "./engine-path.ts";
import { ClusterError } from "./errors.ts";
import { NodeState } from "./node-state.ts";
import { startNode, type ClusterNode } from "./node.ts";
import { clusterOptions, startUsage, type ClusterOptions } from "./options.ts";
import { checkPorts, nth } from "./ports.ts";
import { register, unregister } from "./registration.ts";
import { removeRunning, writeRunning } from "./run-folder.ts";
import { statusCommand } from "./status.ts";
import { checkConditionalWrites } from "./store-check.ts";
import { Store } from "./store.ts";

/** Milliseconds that a stopping node takes at most to remove from the store what it has left there. */
const UNREGISTER_WITHIN_MS = 1_500;

export interface ClusterCommand extends ServeCommand {
  /** Durable KV's own. */
  readonly version: string;
}

/** @returns the exit code @throws {StartupError} that the user can fix */
export async function clusterCommand(command: ClusterCommand): Promise<number> {
  const { name, args, env } = command;
  // The script of package.json puts the id of its shell first.
  const [first, ...rest] = args[0] === "--parent" ? args.slice(2) : args;
  if (first === "status") return statusCommand(rest, env, `${name} status`);
  if (first === "drain") return drainCommand(rest, `${name} drain`);
  const options = await clusterOptions(args, env, name);
  if (options === "help") {
    process.stdout.write(startUsage(name));
    return 0;
  }
  if (process.platform === "win32") {
    throw new ClusterError(
      "cluster_platform_unsupported",
      "A cluster needs Linux or macOS: Windows has no signal by which a node could be told to hand its buckets over.",
    );
  }
  // Before anything is started, so that no signal is missed.
  const shutdown = watchForShutdown({ parent: options.parent ?? command.parent });
  try {
    await run(options, command, shutdown);
    return 0;
  } catch (error) {
    // Shut down during the start: everything that was started has ended.
    if (shutdown.aborted) return 0;
    throw error;
  }
}

async function run(
  options: ClusterOptions,
  { env, worker, version }: ClusterCommand,
  shutdown: AbortSignal,
): Promise<void> {
  // From here on, files that this process or an engine creates are readable by this user only.
  process.umask(0o077);
  const engine = clusterEngine();
  const store = new Store(options.store);
  const data = resolve(options.data);
  const numbers = Array.from({ length: options.nodes }, (_, index) => index + 1);
  const folders = new Map<number, NodeFolder>();
  for (const number of numbers) folders.set(number, await nodeFolder(data, number, store.url));
  await checkPorts(options);
  // A store that does not answer must not keep a node from being stopped for long.
  const stopped = aborted(shutdown).then(() => sleep(UNREGISTER_WITHIN_MS, undefined, { ref: false }));
  await Promise.race([checkConditionalWrites(store, { over: shutdown }), stopped]);
  shutdown.throwIfAborted();
  const local = worker();
  const code = await local.code();
  shutdown.throwIfAborted();

  const versions = { durableKv: version, workerd: engine.version };
  const nodes: ClusterNode[] = [];
  const admins: Admin[] = [];
  const control = await serveControl(() => nodes, store);
  try {
    writeRunning(data, { pid: process.pid, socket: control.socket });
    const starting: { number: number; folder: NodeFolder; state: NodeState; adminPort: number }[] = [];
    // First: a load balancer hears that nodes are not ready yet.
    for (const [number, folder] of folders) {
      const state = new NodeState();
      const at = nth({ host: options.adminHost, port: options.adminPort }, number);
      const admin = await startAdmin({ ...at, state, store, versions });
      admins.push(admin);
      starting.push({ number, folder, state, adminPort: admin.port });
    }
    // One after the other: several would be in each other's way on a small machine.
    for (const { number, folder, state, adminPort } of starting) {
      const node = await startNode({
        number,
        options,
        config: local.config,
        code,
        engine,
        folder,
        store,
        environment: env,
        shutdown,
        state,
        serves: async (peer, before) => {
          process.stdout.write(`Node ${number} serves other nodes at ${peer}, unencrypted.\n`);
          if (before !== undefined && before !== peer) await unregister(store, before);
          await register(store, { peer, version, workerd: engine.version });
        },
      });
      nodes.push(node);
      announce(node, options, adminPort);
    }
    const allDrained = Promise.all(nodes.map((node) => node.drained));
    await Promise.race([aborted(shutdown), allDrained]);
  } finally {
    // Whatever one of them fails at, the others are stopped, too.
    await Promise.allSettled(
      nodes.map(async (node) => {
        await node.stop();
        const { peerAddress } = node.state;
        // Not for longer, if the store is slow: service managers kill what does not end.
        if (peerAddress !== undefined)
          await Promise.race([
            unregister(store, peerAddress),
            sleep(UNREGISTER_WITHIN_MS, undefined, { ref: false }),
          ]);
      }),
    );
    for (const admin of admins) admin.stop();
    await control.close();
    removeRunning(data);
  }
}

/** Prints where a node listens. */
function announce(
  { ports, number }: ClusterNode,
  { host, adminHost }: ClusterOptions,
  adminPort: number,
): void {
  const lines = [
    `Node ${number} has /ready and /metrics at http://${address(adminHost, adminPort)}.`,
    `Ready on http://${address(host, ports.http)}`,
    ...(ports.tcp === undefined ? [] : [`Ready on tcp://${address(host, ports.tcp)}`]),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
