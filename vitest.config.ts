/** The tests: what runs inside workerd, with sixteen partitions and in a deep run also with one, and what runs outside. */

import { existsSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { doctests } from "./test/e2e/support/doctests/plugin.ts";
import { SIZES, type Depth } from "./test/support/sizes.ts";

const { KV_TEST_DEPTH = "sample", KV_TEST_SEED } = process.env;

const isDepth = (text: string): text is Depth => Object.hasOwn(SIZES, text);
if (!isDepth(KV_TEST_DEPTH)) throw new Error(`KV_TEST_DEPTH is one of ${Object.keys(SIZES).join(", ")}.`);

const provide = {
  sizes: SIZES[KV_TEST_DEPTH],
  seed: KV_TEST_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(KV_TEST_SEED),
};

// Objects and servers wait for their disk at every write: a disk that is memory loses nothing by a process's end.
if (existsSync("/dev/shm")) process.env["TMPDIR"] ??= "/dev/shm";

interface Files {
  readonly include: string[];
  readonly exclude?: string[];
  /** Those whose size is that of the run: a deep run has only them. */
  readonly volume: string[];
}

const filesOf = ({ include, exclude = [], volume }: Files): { include: string[]; exclude: string[] } =>
  KV_TEST_DEPTH === "sample" ? { include, exclude } : { include: volume, exclude };

/** A runtime costs three seconds of a processor before its first test: there are no more than keep the machine busy. */
const RUNTIMES = { maxWorkers: 2, sequence: { groupOrder: 0 } };

const inWorkerd = (name: string, partitions: number, files: Files) => ({
  plugins: [
    doctests(),
    cloudflareTest({
      wrangler: { configPath: "./test/wrangler.toml" },
      miniflare: {
        bindings: {
          KV_PARTITIONS: String(partitions),
          KV_OPEN: "loopback",
          KV_HEARTBEAT_MS: "200",
          // A month would put the clock of the tests far ahead.
          KV_SWEEP_PERIOD_MS: "3600000",
        },
      },
    }),
  ],
  test: {
    name,
    ...RUNTIMES,
    ...filesOf(files),
    provide,
    // One runtime for many files, which takes seconds to start: each begins with nothing in it.
    isolate: false,
    setupFiles: ["test/support/fresh.ts"],
    // A test that hangs fails; one on a machine that is busy does not.
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});

/** Their names say where they run: inside workerd, or, with `.e2e`, outside. */
const END_TO_END = "test/**/*.e2e.test.ts";
/** Pure, and outside workerd because of the memory of a million states. */
const EXPLORER = "test/registry/explore/*.test.ts";

// Which partition a name belongs to makes no difference to how its life can be cut off, nor to what a bucket keeps.
const ONE_PARTITION = [
  "test/registry/**/*.test.ts",
  "test/spec/{guide,invariant-*,random-sequences}.test.ts",
  "test/http/{buckets,events}.test.ts",
];
/** Explored paths on the real objects: a quarter of a minute. */
const REPLAY = "test/registry/replay.test.ts";
const WITH_ONE_PARTITION: Files = {
  include: ONE_PARTITION,
  exclude: ["test/spec/invariant-{5,8}-*.test.ts", REPLAY, END_TO_END, EXPLORER],
  volume: ONE_PARTITION,
};

/** Others' programs and libraries, installed or at least started: each file takes half a minute. */
const OTHERS = "test/deep/{package,proxies,recipes}.e2e.test.ts";
/** Every example in the documents, typed in; moves of old data; kills of a server that creates: a minute together. */
const EXAMPLES = "test/e2e/{docs,cli-docs,client-docs}.test.ts";
const MOVES = "test/{e2e/older-data,cli/commands/import-workers-kv}.test.ts";
const KILLS = "test/spec/invariant-2-own-options.e2e.test.ts";
/** Nodes that are lost, and leases that have to end: a minute of waiting, with three engines each. */
const CLUSTERS = "test/e2e/cluster-{erasure,faults,lives,restore}.test.ts";
/** What seldom changes, and takes long. */
const SELDOM = "test/deep/{api-docs,openapi-clients}.e2e.test.ts";
const LEFT_OUT: Readonly<Record<Depth, string[]>> = {
  sample: [OTHERS, EXAMPLES, MOVES, KILLS, CLUSTERS, SELDOM],
  bounded: [SELDOM],
  full: [],
};

export default defineConfig({
  test: {
    // On two processors: most wait for the disk, or for a process that starts.
    maxWorkers: 3,
    projects: [
      inWorkerd("workerd, 16 partitions", 16, {
        include: ["test/**/*.test.ts"],
        exclude: [
          "test/{better-auth,cli,client,e2e,fuzz,keyv,serve,torture,unstorage}/**",
          END_TO_END,
          EXPLORER,
          ...(KV_TEST_DEPTH === "sample" ? [REPLAY] : []),
        ],
        volume: [REPLAY, "test/deep/*.test.ts", "test/spec/{random-sequences,invariant-5-*}.test.ts"],
      }),
      // A runtime of its own, which is half of what it costs.
      ...(KV_TEST_DEPTH === "sample" ? [] : [inWorkerd("workerd, 1 partition", 1, WITH_ONE_PARTITION)]),
      {
        plugins: [doctests()],
        test: {
          name: "end to end",
          // Last: its processes are there at once, where the runtimes before it take seconds of one processor to load.
          sequence: { groupOrder: 1 },
          ...filesOf({
            exclude: LEFT_OUT[KV_TEST_DEPTH],
            include: [
              "test/{better-auth,cli,client,e2e,fuzz,keyv,serve,torture,unstorage}/**/*.test.ts",
              END_TO_END,
              EXPLORER,
            ],
            volume: [
              "test/deep/*.e2e.test.ts",
              "test/spec/invariant-{2,3,7}-*.e2e.test.ts",
              EXAMPLES,
              MOVES,
              "test/http/refused-uploads.e2e.test.ts",
              CLUSTERS,
              "test/fuzz/fuzz.test.ts",
              "test/{power-cut,torture}/*.e2e.test.ts",
              ...(KV_TEST_DEPTH === "full" ? [EXPLORER] : []),
            ],
          }),
          globalSetup: ["test/e2e/support/global-setup.ts"],
          setupFiles: ["test/e2e/support/setup.ts"],
          // A process for each file would load the libraries anew, and nothing that is global stays changed.
          isolate: false,
          provide,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
