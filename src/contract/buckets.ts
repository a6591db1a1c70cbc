/** Buckets as the API's JSON has them. */

export type RestartJson = "permanent" | "temporary";
export type LocationHintJson = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";
export type JurisdictionJson = "eu" | "fedramp" | "fedramp-high";

/** How a bucket is created. */
export interface BucketOptionsJson {
  /** Whether the bucket comes back from an exit or a crash with its data; `permanent` if left out. */
  readonly restart?: RestartJson | undefined;
  readonly locationHint?: LocationHintJson | undefined;
  readonly jurisdiction?: JurisdictionJson | undefined;
  /** Any JSON of at most 1,024 bytes. */
  readonly metadata?: unknown;
}

/** What the registry knows of a bucket. */
export interface BucketJson {
  readonly name: string;
  readonly id: string;
  /** A new one each time the name is taken. */
  readonly incarnation: string;
  readonly status: "running" | "suspect" | "unreachable";
  readonly restart: RestartJson;
  readonly restarts: number;
  /** Why it was last restarted, or is suspect or unreachable. */
  readonly lastReason?: string | undefined;
  /** RFC 3339, as `probedAt`. */
  readonly createdAt: string;
  /** As it was created with. */
  readonly jurisdiction?: string | undefined;
  readonly locationHint?: string | undefined;
  readonly metadata?: unknown;
  /** As the last probe brought them: `probeAgeMs` ago. */
  readonly entries?: number | undefined;
  readonly bytes?: number | undefined;
  readonly revision?: number | undefined;
  readonly probedAt?: string | undefined;
  readonly probeAgeMs?: number | undefined;
}

/** One page of a list of buckets. */
export interface BucketsPage {
  readonly buckets: readonly BucketJson[];
  readonly cursor?: string | undefined;
}

export interface BucketsQueryJson {
  readonly prefix?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}
