/** Checks arguments from another Worker against a schema. */

import type * as z from "zod/mini";
import { check } from "../schema/check.ts";
import { plainJson } from "./exact-json.ts";

/** Like {@link check}, and also refuses values that are not JSON, at every depth. */
export function checkGiven<Schema extends z.core.$ZodType>(
  schema: Schema,
  given: unknown,
  code: "body_invalid" | "query_invalid",
): z.output<Schema> {
  return check(schema, plainJson(given, code), code);
}
