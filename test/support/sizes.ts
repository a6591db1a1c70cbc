/**
 * How much the volume tests do. `npm test` runs a sample of them, `npm run test:deep:bounded` most of them in a
 * minute or two, and `npm run test:deep` the same with ten minutes of random sequences.
 */

export interface Sizes {
  /** Random sequences of commands against the model. */
  readonly sequences: number;
  /** After these minutes no other sequence is begun; left out, all are, however long they take. */
  readonly minutes?: number;
  /** Where the search for a bug begins that the tests are tried on; left out, it is where all random tests do. */
  readonly bugSeed?: number;
  /** Buckets that end, in every way, while their registry is restarted. */
  readonly ends: number;
  /** Buckets whose files are counted when they have ended; an even number. */
  readonly endedFiles: number;
  /** Reads of unknown names. */
  readonly unknownNames: number;
  /** Watchers of one bucket. */
  readonly watchers: number;
  /** Kills of a server under load. */
  readonly kills: number;
  /** Disks of power cuts. */
  readonly disks: number;
  /** Places at which an upload is cut off. */
  readonly cuts: number;
  /** Uploads in a row that are refused in the middle. */
  readonly refusals: number;
  /** Messages in a row on a connection. */
  readonly messages: number;
  /** Random sequences of changes of which watchers hear. */
  readonly watchLogs: number;
  /** Whether a namespace is moved from wrangler's own storage: to start wrangler several times takes long. */
  readonly movesFromWrangler: boolean;
  /** Random buckets that are exported and imported. */
  readonly roundTrips: number;
  /** Random sequences of requests, of commands, of messages. */
  readonly fuzzed: number;
  /** The largest bounds within which the registry's protocol is explored: 4, 20, 120 seconds. */
  readonly explored: "small" | "medium" | "large";
  /** Seconds in which commands run on a BEAM and on the server side by side. */
  readonly beamSeconds: number;
  /** Seconds of torture, beside start and end; 0 for none. */
  readonly tortureSeconds: number;
  /** Buckets of a cluster that are created and stopped, and leave nothing in the store. */
  readonly clusterErasures: number;
  /** How many of the builds with a bug are tried. */
  readonly brokenBuilds: number;
}

export type Depth = "sample" | "bounded" | "full";

/** From here each bug is found after a few sequences. */
const FINDS_BUGS = 356_259_606;

const WHOLE = {
  ends: 1_000,
  endedFiles: 2_000,
  unknownNames: 100_000,
  watchers: 500,
  kills: 10,
  disks: 1_000,
  cuts: 50,
  refusals: 4,
  messages: 11_000,
  watchLogs: 60,
  movesFromWrangler: true,
  roundTrips: 60,
  fuzzed: 60,
  explored: "large",
  beamSeconds: 60,
  tortureSeconds: 600,
  clusterErasures: 1_000,
  brokenBuilds: 5,
} as const;

export const SIZES: Readonly<Record<Depth, Sizes>> = {
  sample: {
    sequences: 8,
    bugSeed: FINDS_BUGS,
    ends: 60,
    endedFiles: 20,
    unknownNames: 1_000,
    watchers: 10,
    kills: 2,
    disks: 0,
    cuts: 8,
    refusals: 1,
    messages: 1_100,
    watchLogs: 8,
    movesFromWrangler: false,
    roundTrips: 8,
    fuzzed: 4,
    explored: "small",
    beamSeconds: 2,
    tortureSeconds: 10,
    clusterErasures: 60,
    brokenBuilds: 0,
  },
  bounded: {
    ...WHOLE,
    sequences: 12,
    bugSeed: FINDS_BUGS,
    ends: 400,
    endedFiles: 300,
    unknownNames: 4_000,
    watchers: 100,
    kills: 3,
    disks: 30,
    fuzzed: 20,
    explored: "small",
    clusterErasures: 60,
    beamSeconds: 5,
    tortureSeconds: 0,
    brokenBuilds: 1,
    // Minutes, for what seldom changes.
    movesFromWrangler: false,
  },
  full: { ...WHOLE, sequences: 20_000, minutes: 10 },
};

declare module "vitest" {
  interface ProvidedContext {
    readonly sizes: Sizes;
    /** Where the random tests begin: `KV_TEST_SEED` repeats a run. */
    readonly seed: number;
  }
}
