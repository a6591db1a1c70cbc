/** What another Worker has handed over, held against a schema. */

import type * as z from "zod/mini";
import { check } from "../schema/check.ts";
import { plainJson } from "./exact-json.ts";

/** As {@link check}; but what is no JSON is refused at any depth. */
export function checkGiven<Schema extends z.core.$ZodType>(
  schema: Schema,
  given: unknown,
  code: "body_invalid" | "query_invalid",
): z.output<Schema> {
  return check(schema, plainJson(given, code), code);
}
