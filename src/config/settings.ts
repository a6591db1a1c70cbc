/** Settings: the environment's variables, checked and with defaults. */

import type { Env, IntegerSetting } from "./env.ts";
import { KvError } from "../model/errors.ts";

/** The settings of a deployment. */
export interface Settings {
  /** The partition count of the registry. */
  readonly partitions: number;
  /** The deadline of a call, in milliseconds. */
  readonly callTimeoutMs: number;
  /** The time in which the sweep probes each bucket once, in milliseconds; 0: no sweep. */
  readonly sweepPeriodMs: number;
  /** How many buckets the sweep probes at once. */
  readonly sweepBatch: number;
  /** The deadline of a probe, in milliseconds. */
  readonly probeTimeoutMs: number;
  /** The wait before a suspect bucket is probed again, in milliseconds; doubled with each failure. */
  readonly recheckMs: number;
  /** When a new bucket asks whether the registry knows it, in milliseconds after its start; 0: no answer ends it. */
  readonly orphanPeriodMs: number;
  /** How many events each partition keeps. */
  readonly eventLog: number;
  /** How many changes each bucket keeps for watchers that resume. */
  readonly changeLog: number;
  /** How long a bucket keeps changes, in milliseconds. */
  readonly changeLogAgeMs: number;
  /** The time between two heartbeats on a stream of events, in milliseconds. */
  readonly heartbeatMs: number;
  /** How many names the directory's cache holds. */
  readonly directoryNames: number;
  /** The limit of long-lived connections: TCP, WebSockets, streams of events. */
  readonly maxConnections: number;
  /** Origins whose web pages may use the service, besides the service's own origin. */
  readonly origins: readonly string[];
  /** Where a bucket without a location hint is placed: near the caller that creates it, or near its registry partition. */
  readonly placeNear: "caller" | "registry";
  /** The token that callers must send; undefined if there is none. */
  readonly token: string | undefined;
  /** Whether callers need no token, because only this machine can reach the service. */
  readonly openOnLoopback: boolean;
}

const cache = new WeakMap<Env, Settings>();

/**
 * The settings of an environment; read once for each isolate.
 * @throws {KvError} `settings_invalid`; the detail names the variable and its allowed values
 */
export function settingsOf(env: Env): Settings {
  let settings = cache.get(env);
  if (settings === undefined) {
    settings = read(env);
    cache.set(env, settings);
  }
  return settings;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Characters in the shortest token of a service that other machines can reach. */
const MIN_TOKEN_LENGTH = 16;
/** Open files that are reserved for each connection. A connection uses two; requests and active buckets need some too. */
const FILES_A_CONNECTION = 4;

/** The Durable Object bindings, with their classes. */
const OBJECTS = { REGISTRY: "Registry", BUCKET: "Bucket" } as const;

function read(env: Env): Settings {
  for (const [name, className] of Object.entries(OBJECTS) as [keyof typeof OBJECTS, string][]) {
    // A Worker that embeds the service may have forgotten it.
    if ((env[name] as unknown) !== undefined) continue;
    throw new KvError(
      "settings_invalid",
      `The Worker has no binding ${name}. Add { name = "${name}", class_name = "${className}" } to durable_objects.bindings.`,
    );
  }
  const openOnLoopback = isOpenOnLoopback(env.KV_OPEN);
  return {
    partitions: integer(env, "KV_PARTITIONS", { default: 16, min: 1, max: 1_024 }),
    callTimeoutMs: integer(env, "KV_CALL_TIMEOUT_MS", { default: 5_000, min: 10, max: 60_000 }),
    sweepPeriodMs: integer(env, "KV_SWEEP_PERIOD_MS", { default: 30 * DAY_MS, min: 0, max: 90 * DAY_MS }),
    sweepBatch: integer(env, "KV_SWEEP_BATCH", { default: 100, min: 1, max: 1_000 }),
    probeTimeoutMs: integer(env, "KV_PROBE_TIMEOUT_MS", { default: 2_000, min: 10, max: 60_000 }),
    recheckMs: integer(env, "KV_RECHECK_MS", { default: 5_000, min: 10, max: 300_000 }),
    orphanPeriodMs: integer(env, "KV_ORPHAN_PERIOD_MS", { default: HOUR_MS, min: 0, max: 7 * DAY_MS }),
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
    placeNear: placeNearOf(env.KV_PLACE_NEAR),
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
    `${name} is "${text}"; it must be a whole number from ${allowed.min} to ${allowed.max}.`,
  );
}

function placeNearOf(text: string | undefined): Settings["placeNear"] {
  if (text === undefined || text === "" || text === "caller") return "caller";
  if (text === "registry") return text;
  throw new KvError("settings_invalid", `KV_PLACE_NEAR is "${text}"; it must be "caller" or "registry".`);
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
    `KV_TOKEN has ${text.length} characters; it must have at least ${MIN_TOKEN_LENGTH}, because other machines can try to guess it.`,
  );
}

/** The limit of open files. Text that is not a number, such as a shell's "unlimited", means no limit. */
function filesOf(text: string | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) : Infinity;
}

function isOpenOnLoopback(text: string | undefined): boolean {
  if (text === undefined || text === "") return false;
  if (text === "loopback") return true;
  throw new KvError("settings_invalid", `KV_OPEN is "${text}"; it must be "loopback" or left out.`);
}
