/** What a bucket was created with, and whether another create means the same. Pure. */

import { KvError } from "../model/errors.ts";
import { UNKNOWN, type CreateOptions, type Registration } from "../model/registration.ts";

type Kept = Pick<Registration, "restart" | "metadata" | "jurisdiction" | "locationHint">;

/** Where to make an object, as the platform takes it: heeded when it is first asked for, and ignored from then on. */
export function hintOf(locationHint: string | null): DurableObjectNamespaceGetDurableObjectOptions {
  if (locationHint === null || locationHint === UNKNOWN) return {};
  return { locationHint: locationHint as DurableObjectLocationHint };
}

/** @returns what the bucket has that a create has said otherwise, in words; undefined if there is nothing */
export function differenceOf(bucket: Kept, asked: CreateOptions): string | undefined {
  for (const option of ["restart", "jurisdiction", "locationHint"] as const) {
    const [wanted, there] = [asked[option], bucket[option]];
    if (wanted === undefined || wanted === there || there === UNKNOWN) continue;
    return `${there === null ? `no ${option}` : `${option} ${there}`}, and not ${wanted}`;
  }
  if (asked.metadata === undefined || sameJson(asked.metadata, bucket.metadata)) return undefined;
  return bucket.metadata === null ? "no metadata" : `other metadata, ${bucket.metadata}`;
}

/** @param difference what {@link differenceOf} has found */
export function existsDifferently(name: string, difference: string): KvError {
  return new KvError(
    "bucket_exists_differently",
    `The bucket ${name} is there, with ${difference}. Leave the option out, or stop the bucket first.`,
  );
}

/** Whether two texts say the same: JSON's objects have no order. */
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
