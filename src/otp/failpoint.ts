/** Named points between two durable effects, at which tests can make an object fail. */

declare global {
  /**
   * Whether failpoints are compiled in: set by the bundler (`[define]` in wrangler.toml), and true in tests only. It is
   * read as a member of `globalThis`, so that without a definition it is undefined and no ReferenceError.
   */
  var KV_FAILPOINTS: boolean | undefined;
}

/** What happens at a point: nothing, an exception, or the end of the object (then it never settles). */
export type FailpointHook = (ctx: DurableObjectState, point: string) => void | Promise<void>;

let hook: FailpointHook | undefined;

/** Sets what happens at every point from now on; left out, nothing does. */
export function setFailpointHook(next?: FailpointHook): void {
  hook = next;
}

/**
 * One point, whose name says `what is done, what is not`. Calls stand behind `if (globalThis.KV_FAILPOINTS)`, so that
 * the bundle of a server or a deployment does not contain them.
 */
export function failpoint(ctx: DurableObjectState, point: string): void | Promise<void> {
  return hook?.(ctx, point);
}
