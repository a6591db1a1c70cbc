/** Invariant 7, end to end. The guide warns of atoms made from user input: names that strangers make up must cost nothing. */

import { readdir } from "node:fs/promises";
import { afterAll, describe, expect, inject, it } from "vitest";
import { startServer, temporaryFolder } from "../e2e/support/server.ts";
import { openTcp } from "../e2e/support/transports.ts";

const LOOKUPS = inject("sizes").unknownNames;
const BATCH = 1_000;

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe("invariant 7: names are cheap", () => {
  it(
    `${LOOKUPS} reads of unknown names leave no file behind, and no memory to speak of`,
    { timeout: 120_000 },
    async () => {
      const server = await startServer({ data: folder.path });
      const { ask, close } = await openTcp(server.tcpPort);
      await ask("CREATE one-bucket\n", 1);
      const unknown = async (from: number): Promise<void> => {
        const lines = Array.from({ length: BATCH }, (_, index) => `GET unknown-${from + index} key\n`);
        expect(await ask(lines.join(""), BATCH)).toBe("NOT FOUND\r\n".repeat(BATCH));
      };
      // Until every partition is awake and the collector has found its pace: measured is what the names cost.
      for (let from = -LOOKUPS / 2; from < 0; from += BATCH) await unknown(from);
      const [files, memory] = [await countFiles(), await server.memory()];
      for (let from = 0; from < LOOKUPS; from += BATCH) await unknown(from);
      const grown = (await server.memory()) - memory;
      console.log(
        `${LOOKUPS} reads of unknown names: ${(await countFiles()) - files} files more, ${grown.toFixed(1)} MB more`,
      );
      expect(await countFiles()).toBe(files);
      // Resident memory goes up and down by itself, so this bound finds only what is kept for each name.
      expect(grown).toBeLessThan(100);
      expect(await ask("BUCKETS\n", 2)).toBe("one-bucket\r\nOK\r\n");
      close();
      await server.stop();
    },
  );
});

/** Databases of objects; the files beside them come and go with SQLite's journal. */
async function countFiles(): Promise<number> {
  const files = await readdir(folder.path, { recursive: true });
  return files.filter((name) => name.endsWith(".sqlite")).length;
}
