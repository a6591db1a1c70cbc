/** Values that a schema checks: the option `schema` of `kv.bucket`. */

import type { Codec } from "./codecs.ts";

/**
 * A schema of any library that follows Standard Schema (https://standardschema.dev), such as zod, valibot or arktype.
 * Only what is needed of it is declared here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    /** Has to be synchronous. @returns the value, or what is wrong with it */
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>;
    /** Only for types: nothing is there when a program runs. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Checked<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of the values that are given, and stored. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];
/** The type of the values that are read. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/**
 * A codec whose values a schema checks. What is stored is the value as it was given, the schema's input; what is read is
 * the schema's output, so that defaults and transformations apply to values that were stored before they existed.
 *
 * `encode` and `decode` throw for a value that the schema refuses.
 */
export function withSchema(codec: Codec, schema: StandardSchema): Codec {
  return {
    type: codec.type,
    encode: (value) => {
      checked(schema, value);
      return codec.encode(value);
    },
    decode: (encoded, type) => checked(schema, codec.decode(encoded, type)),
  };
}

/** @returns the schema's output @throws {TypeError} that says what is wrong, and where */
function checked(schema: StandardSchema, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new TypeError("The schema checks values asynchronously. A bucket needs one that does not.");
  }
  if (result.issues === undefined) return result.value;
  throw new TypeError(`The schema refuses the value: ${result.issues.map(described).join("; ")}.`, {
    cause: result.issues,
  });
}

function described({ message, path = [] }: Issue): string {
  const place = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  const sentence = message.replace(/\.$/, "");
  return place === "" ? sentence : `${place}: ${sentence}`;
}
