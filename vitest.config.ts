/** The tests: what runs inside workerd, once with one partition and once with sixteen, and what runs outside. */

import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const inWorkerd = (partitions: number, include: readonly string[]) => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./test/wrangler.toml" },
      miniflare: { bindings: { KV_PARTITIONS: String(partitions), KV_OPEN: "loopback" } },
    }),
  ],
  test: {
    name: `workerd, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`,
    include: [...include],
  },
});

export default defineConfig({
  test: {
    projects: [
      inWorkerd(16, ["test/{otp,registry,bucket,command,http,session}/**/*.test.ts", "test/*.test.ts"]),
      inWorkerd(1, ["test/{registry,http}/**/*.test.ts"]),
      {
        test: {
          name: "end to end",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
