/** The tests: what runs inside workerd, once with one partition and once with sixteen, and what runs outside. */

import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Sequences of each model-based test; `npm run test:deep` asks for many more, and stops after a while. */
const { KV_TEST_RUNS = "160", KV_TEST_MINUTES = "", KV_TEST_SEED = "" } = process.env;

const inWorkerd = (partitions: number, include: readonly string[], exclude: readonly string[] = []) => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./test/wrangler.toml" },
      miniflare: {
        bindings: {
          KV_PARTITIONS: String(partitions),
          KV_OPEN: "loopback",
          KV_HEARTBEAT_MS: "200",
          KV_TEST_RUNS,
          KV_TEST_MINUTES,
          KV_TEST_SEED,
        },
      },
    }),
  ],
  test: {
    name: `workerd, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`,
    include: [...include],
    exclude: [...exclude],
    // A test that hangs fails; one on a machine that is busy does not.
    testTimeout: 20_000,
  },
});

export default defineConfig({
  test: {
    // Most of a test's time is the disk's, so two at once go well on two processors.
    maxWorkers: 2,
    projects: [
      inWorkerd(16, [
        "test/{otp,registry,bucket,binding,command,http,session}/**/*.test.ts",
        "test/*.test.ts",
      ]),
      // Which partition a name belongs to makes no difference to how its life can be cut off.
      // Nor to what a bucket keeps.
      inWorkerd(
        1,
        ["test/registry/**/*.test.ts", "test/http/{buckets,events}.test.ts"],
        ["test/registry/{crash-matrix,down}.test.ts"],
      ),
      {
        test: {
          name: "end to end",
          include: ["test/e2e/**/*.test.ts", "test/cli/**/*.test.ts"],
          globalSetup: ["test/e2e/support/global-setup.ts"],
          setupFiles: ["test/e2e/support/checked-fetch.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
