/** The conditions of a call, `ifMatch` and `ifNoneMatch`, as headers and as JSON. */

import { invalidRequest } from "./options.ts";
import type { Conditions } from "./types.ts";

/** A strong opaque tag (RFC 9110 §8.8.3) other than `*`, which is what the service accepts in JSON. */
const TAG = /^(?!W\/|\*$)[\x21\x23-\x7e]+$/;

/** @throws {InvalidRequestError} `etag_invalid` */
export function conditionHeaders({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { "If-Match": header(tagsOf(ifMatch)) }),
    ...(ifNoneMatch === undefined ? {} : { "If-None-Match": header(tagsOf(ifNoneMatch)) }),
  };
}

/** @throws {InvalidRequestError} `etag_invalid` */
export function conditionsToJson({ ifMatch, ifNoneMatch }: Conditions): Conditions {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: tagsOf(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: tagsOf(ifNoneMatch) }),
  };
}

/** Refuses malformed tags: they never match, so an `ifNoneMatch` with one would always hold. */
function tagsOf(given: string | readonly string[]): "*" | readonly string[] {
  const tags = typeof given === "string" ? [given] : given;
  if (tags.length === 1 && tags[0] === "*") return "*";
  if (tags.every((tag) => TAG.test(tag))) return tags;
  const why = `ifMatch and ifNoneMatch have to be an etag, several of them, or "*", and not ${JSON.stringify(given)}.`;
  throw invalidRequest("etag_invalid", why);
}

function header(tags: "*" | readonly string[]): string {
  if (tags === "*") return "*";
  // An empty header means no condition. An empty list must match no entry, as this empty tag does.
  return tags.length === 0 ? '""' : tags.map((tag) => `"${tag}"`).join(", ");
}
