/** The examples of an entry point's docstrings: test/e2e/support/doctests makes these modules. */

declare module "doctests:*" {
  interface Exported {
    /** Such as `Bucket`, or `Bucket.get`. */
    readonly name: string;
    readonly kind: "class" | "function" | "value" | "type" | "method";
    /** The interface or class of a method. */
    readonly of?: string;
    /** File and line. */
    readonly at: string;
    readonly doc: string;
  }
  interface Example {
    readonly name: string;
    readonly at: string;
    /** What it has to print. */
    readonly expected: readonly string[];
    readonly run: (given: {
      readonly console: { readonly log: (...values: unknown[]) => void };
      readonly [name: string]: unknown;
    }) => Promise<void>;
  }
  /** What the entry point exports, overloads one by one, and the methods of that. */
  export const exported: readonly Exported[];
  export const examples: readonly Example[];
  /** The names of values and types that it exports. */
  export const names: readonly string[];
  /** All examples, each in a block of its own. */
  export const source: string;
}
