/** One node of a cluster: an engine that is restarted when it crashes, and waits for the store while that is away. */

import { join } from "node:path";
import { objectFolder } from "../capnp.ts";
import { startEngine, type Engine, type Ports } from "../engine.ts";
import { makeObjectFolders } from "../object-folders.ts";
import { address, checkHealth, hasToken, settings, wait } from "../serve.ts";
import { supervise, type Supervised } from "../supervisor.ts";
import type { WorkerConfig } from "../worker-config.ts";
import type { NodeFolder } from "./data-folder.ts";
import { ErasedObjects } from "./erased-objects.ts";
import type { ClusterEngine } from "./engine-path.ts";
import { releaseLease } from "./leases.ts";
import type { NodeState } from "./node-state.ts";
import type { ClusterOptions } from "./options.ts";
import { nth } from "./ports.ts";
import { engineEnvironment } from "./secrets.ts";
import type { Store } from "./store.ts";
import { waitForStore } from "./store-wait.ts";

export interface NodeOptions {
  /** 1 for the first node of this process. */
  readonly number: number;
  readonly options: ClusterOptions;
  readonly config: WorkerConfig;
  readonly code: string;
  readonly engine: ClusterEngine;
  readonly folder: NodeFolder;
  readonly store: Store;
  readonly environment: NodeJS.ProcessEnv;
  readonly shutdown: AbortSignal;
  /** What is known of it, from now on. */
  readonly state: NodeState;
  /** Called each time an engine serves, with its address for other nodes, and that of the one before. Never fails. */
  readonly serves: (address: string, before: string | undefined) => Promise<void>;
}

/** Milliseconds from SIGTERM to the engine's end: what it takes by default, within the ten seconds of `docker stop`. */
const STOP_TIMEOUT_MS = 8_000;

/** A node that runs. */
export interface ClusterNode extends Supervised {
  readonly number: number;
  readonly state: NodeState;
  /** Settles when it was stopped. */
  readonly drained: Promise<void>;
  /** Hands all buckets over to other nodes, and stops. Safe to call more than once. */
  stop(): Promise<void>;
}

/** @throws {StartupError} if the engine does not start, or its settings are invalid */
export async function startNode(node: NodeOptions): Promise<ClusterNode> {
  const { number, options, config, folder, store, shutdown, state } = node;
  const log = (line: string): void => void process.stderr.write(`node ${number}: ${line}\n`);
  const stopping = new AbortController();
  const over = AbortSignal.any([shutdown, stopping.signal]);
  const folders = Object.values(config.objects).map((name) => join(folder.path, objectFolder(name)));
  makeObjectFolders(folder.path, folders);
  let running: Engine | undefined;
  const unwatch = new ErasedObjects({
    store,
    freed: async () => (await running?.freed()) ?? [],
    clock: () => performance.now(),
  }).watch();
  const start = async (before: Ports | undefined): Promise<Engine> => {
    state.down();
    // The engine before has ended: supervise() starts no other until then.
    const last = state.peerAddress;
    await waitForStore(store, { log, over });
    if (last !== undefined && (await releaseLease(store, last)))
      log("Its lease is released, so that its buckets need not wait for that.");
    folder.mark();
    const engine = await startEngine(node.code, engineOptions(node, before), over);
    await checkHealth(engine, options.host, over);
    const peer = reachableAt(node, engine.ports);
    state.up(engine, peer);
    running = engine;
    // Not awaited: it may take as long as the store does, and the engine serves already.
    void node.serves(peer, last);
    return engine;
  };
  const clock = (): number => performance.now();
  const service = await supervise({ start, log, clock, wait }).catch((error: unknown) => {
    unwatch();
    throw error;
  });
  let isDrained = (): void => undefined;
  const drained = new Promise<void>((resolve) => {
    isDrained = resolve;
  });
  let stopped: Promise<void> | undefined;
  return {
    ...service,
    number,
    state,
    drained,
    stop() {
      stopped ??= (async () => {
        state.draining();
        unwatch();
        const ended = service.stop();
        // Only now: an engine that serves is stopped in order, and one that is being started is cut off.
        if (!state.serves) stopping.abort();
        await ended;
        state.down();
        isDrained();
      })();
      return stopped;
    },
  };
}

function engineOptions(node: NodeOptions, before: Ports | undefined): Parameters<typeof startEngine>[1] {
  const { number, options, config, engine, folder, store, environment } = node;
  const { host, port, tcpPort, peer, advertise } = options;
  const peerAt = nth(peer, number);
  const http = before?.http ?? nth({ host, port }, number).port;
  const tcp = tcpPort === undefined ? undefined : (before?.tcp ?? nth({ host, port: tcpPort }, number).port);
  return {
    // As on Cloudflare: a sweep that wakes every bucket twice a minute would cost a request to the store for each.
    worker: { ...config, vars: settings(config.vars, host, environment) },
    http: address(host, http),
    tcp: tcp === undefined ? undefined : address(host, tcp),
    tcpEntrypoint: "Tcp",
    controlled: true,
    data: folder.path,
    scratch: false,
    lock: folder.lock,
    inherited: [...(hasToken(environment) ? ["KV_TOKEN"] : []), "KV_FILES"],
    program: { path: engine.path, environment: engineEnvironment(options.store.credentials, environment) },
    cluster: {
      store: store.url,
      endpoint: options.store.endpoint,
      region: options.store.region,
      address: address(peerAt.host, peerAt.port),
      advertise: advertise === undefined ? undefined : address(advertise.host, advertise.port),
      key: options.key,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      timeDivisor: options.timeDivisor,
    },
  };
}

/** The address in the node's lease. */
function reachableAt({ options, number }: NodeOptions, { peer }: Ports): string {
  const { host, port } = options.advertise ?? nth(options.peer, number);
  return address(host, port === 0 ? Number(peer) : port);
}
