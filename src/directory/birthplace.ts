/** Where a new bucket is placed: near the caller that creates it. Pure. */

/** What the platform tells of the place from which a request came: a part of `request.cf`. */
export interface Place {
  /** Two letters; `T1` for Tor. */
  readonly continent?: unknown;
  /** Two letters. */
  readonly country?: unknown;
  /** Degrees, as text. */
  readonly longitude?: unknown;
}

type Hint = DurableObjectLocationHint;

/** Continents with one region each. */
const REGIONS: ReadonlyMap<unknown, Hint> = new Map<unknown, Hint>([
  ["AF", "afr"],
  ["OC", "oc"],
  ["SA", "sam"],
]);
/** The countries of Asia that are nearer to the region `me` than to `apac`. */
const MIDDLE_EAST = new Set<unknown>("AE AM AZ BH CY GE IL IQ IR JO KW LB OM PS QA SA SY TR YE".split(" "));
/** Degrees of longitude that divide North America, and Europe, into the west and the east. */
const NORTH_AMERICA_AT = -100;
const EUROPE_AT = 17;

/**
 * The location hint for a bucket that is created from this place; undefined where the platform does not say enough.
 *
 * Without one, an object lives where its first call comes from. That is the registry's partition, and it stays there
 * (https://developers.cloudflare.com/durable-objects/reference/data-location/).
 * @example
 * ```ts
 * birthplaceOf({ continent: "NA", longitude: "-122.4" }); // "wnam"
 * ```
 */
export function birthplaceOf({ continent, country, longitude }: Place = {}): Hint | undefined {
  if (continent === "AS") return MIDDLE_EAST.has(country) ? "me" : "apac";
  const degrees = typeof longitude === "string" && longitude !== "" ? Number(longitude) : Number.NaN;
  if (continent === "NA") return degrees < NORTH_AMERICA_AT ? "wnam" : "enam";
  if (continent === "EU") return degrees > EUROPE_AT ? "eeur" : "weur";
  return REGIONS.get(continent);
}
