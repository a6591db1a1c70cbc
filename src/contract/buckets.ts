/** The published shapes of buckets in the API's JSON. Types only. */

/** `permanent`: the bucket restarts with its data after an exit or a crash. `temporary`: it ends. */
export type RestartJson = "permanent" | "temporary";
/** Cloudflare's location hints for Durable Objects. */
export type LocationHintJson = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";
/** Cloudflare's jurisdictions for Durable Objects. */
export type JurisdictionJson = "eu" | "us" | "fedramp" | "fedramp-high";

/** The options of a new bucket. */
export interface BucketOptionsJson {
  /** `permanent` if left out. */
  readonly restart?: RestartJson | undefined;
  readonly locationHint?: LocationHintJson | undefined;
  readonly jurisdiction?: JurisdictionJson | undefined;
  /** Any JSON of at most 1,024 bytes. */
  readonly metadata?: unknown;
}

/** A bucket as the registry describes it. */
export interface BucketJson {
  readonly name: string;
  /** The id of the bucket's object: 64 hexadecimal digits. */
  readonly id: string;
  /** Unique for each bucket that ever has this name. */
  readonly incarnation: string;
  readonly status: "running" | "suspect" | "unreachable";
  readonly restart: RestartJson;
  /** How many times the bucket was restarted. */
  readonly restarts: number;
  /** The reason of the last restart, or why the bucket is suspect or unreachable. */
  readonly lastReason?: string | undefined;
  /** RFC 3339, like `probedAt`. */
  readonly createdAt: string;
  /** The options of the create. */
  readonly jurisdiction?: string | undefined;
  readonly locationHint?: string | undefined;
  readonly metadata?: unknown;
  /** The totals of the last probe, `probeAgeMs` milliseconds ago. */
  readonly entries?: number | undefined;
  readonly bytes?: number | undefined;
  readonly revision?: number | undefined;
  readonly probedAt?: string | undefined;
  readonly probeAgeMs?: number | undefined;
}

/** One page of a list of buckets. */
export interface BucketsPage {
  readonly buckets: readonly BucketJson[];
  /** Present if there are more buckets: send it back for the next page. */
  readonly cursor?: string | undefined;
}

/** A query for one page of buckets. */
export interface BucketsQueryJson {
  readonly prefix?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}
