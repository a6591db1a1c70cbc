/** The server under torture: it is started, ended in every way, and started again, behind ports that stay the same. */

import { closeSync, existsSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startServer, type RunningServer } from "../../e2e/support/server.ts";
import type { Built } from "../server/build.ts";
import { Proxy } from "./proxy.ts";

/** Settings under which what the torture looks at happens often. */
const ENVIRONMENT = {
  KV_EVENT_LOG: "100000",
  KV_CHANGE_LOG: "100000",
  KV_OPEN: "loopback",
  KV_HEARTBEAT_MS: "1000",
};

/** In place: a file that is emptied first would be read as empty. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, existsSync(path) ? "r+" : "w");
  writeSync(file, text, 0);
  closeSync(file);
}

const running = new Set<number>();

/** Kills every server that a torture of this process has started. */
export function endAll(): void {
  for (const pid of running) process.kill(-pid, "SIGKILL");
}

/** What is loaded and spoilt: a server, or a cluster, behind ports that stay the same. */
export interface Target {
  readonly http: Proxy;
  readonly tcp: Proxy;
  readonly url: string;
  /** Whether the engine's clock can be moved, and its disk spoilt. */
  readonly hasShim: boolean;
  /** Settles when it runs. */
  readonly up: Promise<void>;
  /** Since when no fsync succeeds; undefined: they do. */
  readonly fsyncFailsSince: number | undefined;
  /** Moves the engine's clock by so much, forward or back. */
  moveClock(byMs: number): void;
  end(): Promise<void>;
}

export class ServerTarget implements Target {
  readonly #built: Built;
  readonly #data: string;
  readonly #clockFile: string;
  readonly #diskFile: string;
  readonly http: Proxy;
  readonly tcp: Proxy;
  #server: RunningServer | undefined;
  #up = Promise.withResolvers<void>();
  /** Since when no fsync succeeds; undefined: they do. */
  fsyncFailsSince: number | undefined;
  readonly #violations: string[];
  /** Milliseconds by which the engine's clock is ahead. */
  #aheadMs = 0;

  private constructor(built: Built, violations: string[], http: Proxy, tcp: Proxy) {
    this.#violations = violations;
    this.#built = built;
    this.http = http;
    this.tcp = tcp;
    this.#data = join(built.folder, "data");
    this.#clockFile = join(built.folder, "clock");
    mkdirSync(this.#data, { mode: 0o700 });
    this.#diskFile = join(built.folder, "disk");
    this.moveClock(0);
    this.spoilDisk("");
  }

  /** @param violations what is found is added */
  static async start(built: Built, violations: string[]): Promise<ServerTarget> {
    const target = new ServerTarget(built, violations, await Proxy.start(), await Proxy.start());
    await target.#start();
    return target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  /** The server's own address, past the proxy. */
  get direct(): string | undefined {
    return this.#server?.http;
  }

  /** Whether the engine's clock can be moved, and its disk spoilt. */
  get hasShim(): boolean {
    return this.#built.shim !== undefined;
  }

  /** Settles when the server runs. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  /** Moves the engine's clock by so much, forward or back. */
  moveClock(byMs: number): void {
    this.#aheadMs += byMs;
    overwrite(this.#clockFile, String(this.#aheadMs).padEnd(20));
  }

  /** Makes the engine's disk fail, or work again. */
  spoilDisk(how: "full" | "fsync" | ""): void {
    // Until after the disk fails, and no longer than it does.
    this.fsyncFailsSince = undefined;
    overwrite(this.#diskFile, how.padEnd(6));
    if (how === "fsync") this.fsyncFailsSince = performance.now();
  }

  /** Kills server and engine with -9, and starts them again. */
  async kill(): Promise<void> {
    await this.#without((server) => server.killAll());
  }

  /** Stops it as an operator does, and starts it again. */
  async restart(): Promise<void> {
    await this.#without((server) => server.stop());
  }

  /** Stops the engine's process for a while, and lets it go on. */
  async pause(ms: number): Promise<void> {
    const pid = (await this.#server?.enginePid()) ?? 0;
    // 0 would be this process's own group.
    if (pid <= 0) return;
    process.kill(pid, "SIGSTOP");
    await pause(ms);
    process.kill(pid, "SIGCONT");
  }

  /** The engine must not have ended by itself. */
  #look(server: RunningServer): void {
    for (const [line] of server
      .output()
      .matchAll(/^The engine (?:ended by itself|could not be started).*$/gm))
      this.#violations.push(line);
  }

  async end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
    running.clear();
    if (server !== undefined) this.#look(server);
    this.http.stop();
    this.tcp.stop();
  }

  async #start(): Promise<void> {
    const { shim } = this.#built;
    const controls = { TORTURE_CLOCK: this.#clockFile, TORTURE_DISK: this.#diskFile };
    const preload = shim === undefined ? {} : { LD_PRELOAD: shim, ...controls };
    const environment = { ...ENVIRONMENT, ...preload, TORTURE_WORKER: this.#built.folder };
    const server = await startServer({ program: this.#built.server, data: this.#data, environment });
    this.#server = server;
    running.add(server.pid);
    this.http.target = server.httpPort;
    this.tcp.target = server.tcpPort;
    this.#up.resolve();
  }

  async #without(ended: (server: RunningServer) => Promise<unknown>): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#up = Promise.withResolvers();
    this.#server = undefined;
    this.http.target = undefined;
    this.tcp.target = undefined;
    await ended(server);
    running.delete(server.pid);
    this.#look(server);
    await this.#start();
  }
}
