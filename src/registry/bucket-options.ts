/** Options of an existing bucket, compared with the options of another create. Pure. */

import { KvError } from "../model/errors.ts";
import { UNKNOWN, type CreateOptions, type Registration } from "../model/registration.ts";

type Placed = Pick<Registration, "jurisdiction" | "locationHint">;
type Hint = DurableObjectNamespaceGetDurableObjectOptions;
type Kept = Pick<Registration, "restart" | "metadata" | "jurisdiction" | "locationHint">;

/**
 * The platform's options for a bucket's stub. The platform uses a hint for the object's first call only, and an object with
 * a jurisdiction never leaves that, whatever the hint. So a bucket is placed by its jurisdiction, within that by the hint
 * that was given, and only without both near its creator, who may be outside.
 */
export function hintOf({ jurisdiction, locationHint }: Placed, near?: DurableObjectLocationHint): Hint {
  if (locationHint === UNKNOWN) return {};
  if (locationHint !== null) return { locationHint: locationHint as DurableObjectLocationHint };
  return jurisdiction === null && near !== undefined ? { locationHint: near } : {};
}

/** The first option in which a bucket differs from a create, in words; undefined if the bucket matches. */
export function differenceOf(bucket: Kept, asked: CreateOptions): string | undefined {
  for (const option of ["restart", "jurisdiction", "locationHint"] as const) {
    const [wanted, there] = [asked[option], bucket[option]];
    if (wanted === undefined || wanted === there || there === UNKNOWN) continue;
    return `${there === null ? `no ${option}` : `${option} ${there}`}, not ${wanted}`;
  }
  if (asked.metadata === undefined || sameJson(asked.metadata, bucket.metadata)) return undefined;
  return bucket.metadata === null ? "no metadata" : `other metadata, ${bucket.metadata}`;
}

/** The error of a create that does not match the existing bucket. @param difference from {@link differenceOf} */
export function existsDifferently(name: string, difference: string): KvError {
  return new KvError(
    "bucket_exists_differently",
    `The bucket ${name} exists with ${difference}. Leave the option out, or stop the bucket first.`,
  );
}

/** Whether two JSON texts are equal; the order of an object's members does not count. */
function sameJson(one: string, other: string | null): boolean {
  if (one === other) return true;
  return other !== null && inOrder(one) === inOrder(other);
}

function inOrder(json: string): string {
  return JSON.stringify(JSON.parse(json), (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
