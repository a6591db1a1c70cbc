/** The client that the driver's options ask for. */

import { Kv, type KvOptions } from "../client/kv.ts";
import { invalidRequest } from "../client/options.ts";
import { describeValue } from "../client/describe-value.ts";
import type { BoundService, DurableKvDriverOptions } from "./types.ts";

/** Any address does: a binding leads to the service whatever the host is. */
const BOUND_URL = "http://durable-kv";

/** The members of the options that are the driver's own, and not the client's. */
const OWN = ["bucket", "base", "ttl", "create", "onError"];

/** @throws {TypeError} for invalid options; its `code` is `options_invalid`, or one of `new Kv` */
export function clientOf(options: DurableKvDriverOptions): Kv {
  const given = Object.entries(options).filter(([name]) => !OWN.includes(name));
  const { kv, binding, ...http } = Object.fromEntries(given) as Partial<
    KvOptions & { readonly kv: Kv; readonly binding: BoundService | string | (() => BoundService) }
  >;
  const [surplus] = kv !== undefined && binding !== undefined ? ["kv"] : Object.keys(http);
  if (kv === undefined && binding === undefined) return new Kv(http as KvOptions);
  if (surplus !== undefined) {
    throw invalid(`With ${binding === undefined ? "kv" : "binding"}, the driver takes no ${surplus}.`);
  }
  if (kv !== undefined) return kv;
  return new Kv({
    url: BOUND_URL,
    // Looked up for each request: in a Worker, a binding is valid for that request only.
    fetch: (input, init) => serviceOf(binding).fetch(input, init),
  });
}

function serviceOf(binding: unknown): BoundService {
  const found: unknown =
    typeof binding === "string" ? named(binding) : isFactory(binding) ? binding() : binding;
  if (isService(found)) return found;
  throw invalidRequest(
    "options_invalid",
    typeof binding === "string"
      ? `There is no binding ${binding}, neither in globalThis.__env__ nor in globalThis.`
      : `The binding has to be a service binding to KvEntrypoint, and not ${describeValue(found)}.`,
  );
}

function named(name: string): unknown {
  const scope = globalThis as unknown as Readonly<Record<string, unknown>>;
  const env = scope["__env__"] as Readonly<Record<string, unknown>> | undefined;
  return env?.[name] ?? scope[name];
}

/** A service binding is a function to `typeof`, too, but has a fetch. */
function isFactory(given: unknown): given is () => unknown {
  return typeof given === "function" && !isService(given);
}

function isService(given: unknown): given is BoundService {
  return (
    (typeof given === "object" || typeof given === "function") &&
    given !== null &&
    typeof (given as Partial<BoundService>).fetch === "function"
  );
}

export function invalid(why: string): TypeError {
  return Object.assign(new TypeError(`durableKvDriver: ${why}`), { code: "options_invalid" });
}
