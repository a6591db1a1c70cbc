/** A bucket's default time to live: the option `ttl` of `kv.bucket`. */

interface Lived {
  readonly ttl?: number | undefined;
  readonly expires?: Date | undefined;
}

/** The options with the default `ttl`, unless they say when to expire. `ttl: Infinity` says: never. */
export function withDefaultTtl<Given extends Lived>(given: Given, ttl: number | undefined): Given {
  if (ttl === undefined || given.ttl !== undefined || given.expires !== undefined) return given;
  return { ...given, ttl };
}

/** Operations with the default `ttl`, in those that store something. */
export function allWithDefaultTtl<Operation>(
  operations: readonly Operation[],
  ttl: number | undefined,
): readonly Operation[] {
  // What is no array is refused where operations are encoded, and so is what is no operation.
  if (ttl === undefined || !Array.isArray(operations)) return operations;
  return operations.map((operation) => (isStoring(operation) ? withDefaultTtl(operation, ttl) : operation));
}

function isStoring(operation: unknown): operation is Lived & object {
  if (typeof operation !== "object" || operation === null || !("op" in operation)) return false;
  return operation.op === "put" || operation.op === "increment";
}

/** The `ttl` as it is sent: endless is the service's default. */
export function sentTtl(ttl: number | undefined): { readonly ttl?: number } {
  return ttl === undefined || ttl === Infinity ? {} : { ttl };
}
