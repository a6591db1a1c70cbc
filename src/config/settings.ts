/** Settings: the environment's variables, checked. */

import type { Env, IntegerSetting } from "./env.ts";
import { KvError } from "../model/errors.ts";

export interface Settings {
  /** How many partitions the registry has. */
  readonly partitions: number;
  /** A call's deadline in milliseconds. */
  readonly callTimeoutMs: number;
  /** How long the sweep takes to see each bucket once, in milliseconds; 0 means that there is none. */
  readonly sweepPeriodMs: number;
  /** How many buckets are probed at once. */
  readonly sweepBatch: number;
  /** A probe's deadline in milliseconds. */
  readonly probeTimeoutMs: number;
  /** The wait before a suspect is probed again, in milliseconds; doubled with each failure. */
  readonly recheckMs: number;
  /** How often a bucket asks whether the registry knows it, in milliseconds; 0 means never. */
  readonly orphanPeriodMs: number;
  /** How many events each partition keeps. */
  readonly eventLog: number;
  /** How many changes each bucket keeps for those who watch it. */
  readonly changeLog: number;
  /** How long it keeps them, in milliseconds. */
  readonly changeLogAgeMs: number;
  /** The wait between two signs of life on a stream of events, in milliseconds. */
  readonly heartbeatMs: number;
  /** How many names the directory's cache holds. */
  readonly directoryNames: number;
  /** How many connections may outlast a request: TCP, WebSockets, streams of events. */
  readonly maxConnections: number;
  /** Origins whose pages may use the service, besides its own. */
  readonly origins: readonly string[];
  /** What callers must show; undefined if there is none. */
  readonly token: string | undefined;
  /** Whether callers without a token are let in, because only this machine can reach the service. */
  readonly openOnLoopback: boolean;
}

const cache = new WeakMap<Env, Settings>();

/**
 * The settings in `env`; read once for each isolate.
 * @throws {KvError} `settings_invalid`, which names the variable and what it may be.
 */
export function settingsOf(env: Env): Settings {
  let settings = cache.get(env);
  if (settings === undefined) {
    settings = read(env);
    cache.set(env, settings);
  }
  return settings;
}

const DAY_MS = 86_400_000;
/** Characters in the shortest token that other machines may try to guess. */
const MIN_TOKEN_LENGTH = 16;
/** A connection takes two of the engine's files; requests, and buckets that are awake, need some too. */
const FILES_A_CONNECTION = 4;

function read(env: Env): Settings {
  const openOnLoopback = isOpenOnLoopback(env.KV_OPEN);
  return {
    partitions: integer(env, "KV_PARTITIONS", { default: 16, min: 1, max: 1_024 }),
    callTimeoutMs: integer(env, "KV_CALL_TIMEOUT_MS", { default: 5_000, min: 10, max: 60_000 }),
    sweepPeriodMs: integer(env, "KV_SWEEP_PERIOD_MS", { default: 3_600_000, min: 0, max: 7 * DAY_MS }),
    sweepBatch: integer(env, "KV_SWEEP_BATCH", { default: 100, min: 1, max: 1_000 }),
    probeTimeoutMs: integer(env, "KV_PROBE_TIMEOUT_MS", { default: 2_000, min: 10, max: 60_000 }),
    recheckMs: integer(env, "KV_RECHECK_MS", { default: 5_000, min: 10, max: 300_000 }),
    orphanPeriodMs: integer(env, "KV_ORPHAN_PERIOD_MS", { default: DAY_MS, min: 0, max: 7 * DAY_MS }),
    eventLog: integer(env, "KV_EVENT_LOG", { default: 10_000, min: 1, max: 1_000_000 }),
    changeLog: integer(env, "KV_CHANGE_LOG", { default: 1_000, min: 1, max: 100_000 }),
    changeLogAgeMs: integer(env, "KV_CHANGE_LOG_AGE_MS", { default: DAY_MS, min: 1_000, max: 30 * DAY_MS }),
    heartbeatMs: integer(env, "KV_HEARTBEAT_MS", { default: 15_000, min: 10, max: 60_000 }),
    directoryNames: integer(env, "KV_DIRECTORY_NAMES", { default: 10_000, min: 1, max: 100_000 }),
    maxConnections: Math.min(
      integer(env, "KV_MAX_CONNECTIONS", { default: 10_000, min: 1, max: 1_000_000 }),
      Math.floor(filesOf(env.KV_FILES) / FILES_A_CONNECTION),
    ),
    origins: (env.KV_ORIGINS ?? "")
      .split(/\s+/)
      .filter((text) => text !== "")
      .map(checkedOrigin),
    token: tokenOf(env.KV_TOKEN, openOnLoopback),
    openOnLoopback,
  };
}

function integer(
  env: Env,
  name: IntegerSetting,
  allowed: { readonly default: number; readonly min: number; readonly max: number },
): number {
  const text = env[name];
  if (text === undefined || text === "") return allowed.default;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= allowed.min && number <= allowed.max) return number;
  throw new KvError(
    "settings_invalid",
    `${name} is "${text}"; it has to be a whole number from ${allowed.min} to ${allowed.max}.`,
  );
}

function checkedOrigin(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text;
  throw new KvError(
    "settings_invalid",
    `KV_ORIGINS has "${text}"; an origin is written like https://example.com.`,
  );
}

function tokenOf(text: string | undefined, openOnLoopback: boolean): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (openOnLoopback || text.length >= MIN_TOKEN_LENGTH) return text;
  throw new KvError(
    "settings_invalid",
    `KV_TOKEN has ${text.length} characters; where other machines can guess it has to have at least ${MIN_TOKEN_LENGTH}.`,
  );
}

/** "unlimited", as a shell has it, is no number: then there is no limit. */
function filesOf(text: string | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) : Infinity;
}

function isOpenOnLoopback(text: string | undefined): boolean {
  if (text === undefined || text === "") return false;
  if (text === "loopback") return true;
  throw new KvError("settings_invalid", `KV_OPEN is "${text}"; it has to be "loopback" or left out.`);
}
