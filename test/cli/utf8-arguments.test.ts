/** Arguments that are not UTF-8. */

import { beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { KV, start } from "../e2e/support/cli.ts";
import { server } from "../e2e/support/shared-server.ts";

const NAME = "cli-utf8-arguments";

const bucket = new Kv({ url: server.http }).bucket(NAME);

beforeAll(() => new Kv({ url: server.http }).create(NAME));

describe("an argument that is not UTF-8", () => {
  const run = (script: string) => start(["bash", "-c", script], { KV_URL: server.http }).ended;

  it("is refused: with U+FFFD in its place, two keys would be one", async () => {
    const command = `${KV.join(" ")} put ${NAME} $'k\\xff' 1`;
    expect(await run(command)).toMatchObject({
      code: 2,
      err: "error: Argument 3 is not UTF-8. Keys and names have to be UTF-8; pass a binary value through stdin.\n",
    });
    expect(await bucket.get("k\u{fffd}")).toBeUndefined();
  });

  it.runIf(process.platform === "linux")("is told from one in which U+FFFD was typed", async () => {
    expect(await run(`${KV.join(" ")} put ${NAME} $'k\\xef\\xbf\\xbd' 1`)).toMatchObject({ code: 0 });
    expect(await bucket.entry("k\u{fffd}")).toBeDefined();
  });
});
