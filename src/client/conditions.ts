/** Under which conditions a call is done, as headers and JSON say it. */

import { refused } from "./options.ts";
import type { Conditions } from "./types.ts";

/** An opaque tag (RFC 9110 §8.8.3), and neither `*` nor a weak one: what the service takes in JSON. */
const TAG = /^(?!W\/|\*$)[\x21\x23-\x7e]+$/;

/** @throws {InvalidRequestError} `etag_invalid` */
export function conditionHeaders({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { "If-Match": header(tagsOf(ifMatch)) }),
    ...(ifNoneMatch === undefined ? {} : { "If-None-Match": header(tagsOf(ifNoneMatch)) }),
  };
}

/** @throws {InvalidRequestError} `etag_invalid` */
export function conditionsJson({ ifMatch, ifNoneMatch }: Conditions): Conditions {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: tagsOf(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: tagsOf(ifNoneMatch) }),
  };
}

/** What can be no tag never matches, and an `ifNoneMatch` with it would hold for whatever is there. */
function tagsOf(given: string | readonly string[]): "*" | readonly string[] {
  const tags = typeof given === "string" ? [given] : given;
  if (tags.length === 1 && tags[0] === "*") return "*";
  if (tags.every((tag) => TAG.test(tag))) return tags;
  const why = `ifMatch and ifNoneMatch have to be an etag, several of them, or "*", and not ${JSON.stringify(given)}.`;
  throw refused("etag_invalid", why);
}

function header(tags: "*" | readonly string[]): string {
  if (tags === "*") return "*";
  // A header that is empty is no condition; this one is met by no entry, as a list of none is.
  return tags.length === 0 ? '""' : tags.map((tag) => `"${tag}"`).join(", ");
}
