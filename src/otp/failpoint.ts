/** Named points between two durable effects, at which the tests can make an object fail. */

declare global {
  /**
   * Whether failpoints are compiled in: set by the bundler (`[define]` in wrangler.toml), and true only in the tests. It is
   * read as a member of `globalThis`, so that a bundler that defines nothing leaves undefined and not a ReferenceError.
   */
  var KV_FAILPOINTS: boolean | undefined;
}

/** What happens at a point: nothing, an exception, or the end of the object (then it never settles). */
export type FailpointHook = (ctx: DurableObjectState, point: string) => void | Promise<void>;

let hook: FailpointHook | undefined;

/** Sets what happens at every point from now on; nothing, if left out. */
export function setFailpointHook(next?: FailpointHook): void {
  hook = next;
}

/**
 * A point that is told apart by its name, `what is done, what is not`. It stands behind
 * `if (globalThis.KV_FAILPOINTS)`, so that a bundle that is served or deployed has no trace of it.
 */
export function failpoint(ctx: DurableObjectState, point: string): void | Promise<void> {
  return hook?.(ctx, point);
}
