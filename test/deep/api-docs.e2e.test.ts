/** `npm run docs:api`: the API reference, which typedoc makes of the docstrings. */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const MADE_BY = join(ROOT, "scripts/api-docs.ts");
/** The first run installs typedoc. */
const INSTALLED_MS = 300_000;

interface Made {
  readonly failed: boolean;
  readonly said: string;
}

function make(...options: readonly string[]): Promise<Made> {
  const command = ["--disable-warning=ExperimentalWarning", MADE_BY, ...options];
  return new Promise((made) => {
    execFile(process.execPath, command, { env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) =>
      made({ failed: error !== null, said: stdout + stderr }),
    );
  });
}

describe("the API reference", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "durable-kv-api-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it(
    "has a page for each entry point, with its examples, and nothing to warn of",
    async () => {
      const out = join(folder, "api");
      const { failed, said } = await make("--out", out);
      expect(said).not.toMatch(/warning|error/i);
      expect(failed).toBe(false);
      for (const [page, shown] of [
        ["modules/durable-kv_client.html", "Classes"],
        ["classes/durable-kv_client.Bucket.html", "Example"],
        ["classes/durable-kv_keyv.KeyvDurableKv.html", "Example"],
        ["functions/durable-kv_unstorage.durableKvDriver.html", "Example"],
        ["interfaces/durable-kv_binding.KvBinding.html", "Example"],
        ["classes/durable-kv_worker.KvNamespace.html", "Example"],
      ] as const) {
        expect(await readFile(join(out, page), "utf8"), page).toContain(shown);
      }
    },
    INSTALLED_MS,
  );

  it(
    "is refused for an export without a docstring, and for a link to nothing",
    async () => {
      const source =
        "export function bare(): void {}\n/** As {@link nowhere}. */\nexport const linked = 1;\n";
      await writeFile(join(folder, "index.ts"), source);
      const config = { extends: join(ROOT, "tsconfig.api.json"), files: ["index.ts"] };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
      const options = ["--entryPoints", join(folder, "index.ts"), "--out", join(folder, "refused")];
      const { failed, said } = await make("--tsconfig", join(folder, "tsconfig.json"), ...options);
      expect(failed).toBe(true);
      expect(said).toMatch(/bare .*does not have any documentation/);
      expect(said).toContain('Failed to resolve link to "nowhere"');
    },
    INSTALLED_MS,
  );
});
