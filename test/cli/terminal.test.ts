/** What the command shows on a terminal: text that a terminal does not act upon. */

import { beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { kv, startKv } from "../e2e/support/cli.ts";
import { server } from "../e2e/support/shared-server.ts";

const NAME = "cli-terminal";

const EVIL = "\x1b]0;owned\x07\x9b31m\u202e";

const bucket = new Kv({ url: server.http }).bucket(NAME);

const seen = { url: server.http, terminal: true };

beforeAll(async () => {
  await new Kv({ url: server.http }).create(NAME, { metadata: EVIL });
  await bucket.put(EVIL, EVIL);
});

describe("on a terminal", () => {
  it.each([
    ["get", [NAME, EVIL]],
    ["get --json", [NAME, EVIL, "--json"]],
    ["keys", [NAME, "--values"]],
    ["keys --json", [NAME, "--values", "--json"]],
    ["export", [NAME]],
    ["lookup", [NAME]],
    ["lookup --json", [NAME, "--json"]],
  ])("kv %s does nothing but show", async (verb, args) => {
    const { code, out } = await kv(seen, ...verb.split(" ").slice(0, 1), ...args);
    expect(code).toBe(0);
    expect(out).toContain("\\u001b]0;owned");
    expect(out).toMatch(/^[^\0-\x08\x0b-\x1f\x7f-\x9f\u202e]*$/);
  });

  it("kv watch does nothing but show", async () => {
    const watching = startKv(seen, "watch", NAME, "--snapshot");
    await watching.until(/end_of_snapshot\n/);
    watching.interrupt();
    expect((await watching.ended).out).toMatch(/^[^\0-\x08\x0b-\x1f\x7f-\x9f\u202e]*$/);
  });

  it("JSON is the same JSON", async () => {
    const { json } = await kv(seen, "keys", NAME, "--json", "--values");
    expect(json()).toMatchObject([{ key: EVIL }]);
  });

  it("a character that is cut off at the end is shown as one", async () => {
    await kv({ url: server.http, input: Buffer.from("café").subarray(0, 4) }, "put", NAME, "cut");
    expect((await kv(seen, "get", NAME, "cut")).out).toBe("caf\ufffd\n");
  });

  it("the text protocol does nothing but show", async () => {
    const { out } = await kv({ ...seen, input: `EXIT ${NAME} a\nLOOKUP ${NAME}\n` }, "repl");
    expect(out).toMatch(/^[^\0-\x08\x0b-\x1f\x7f-\x9f\u202e]*$/);
  });
});

describe("not on a terminal", () => {
  it("a value is what it is", async () => {
    expect((await kv({ url: server.http }, "get", NAME, EVIL)).out).toBe(
      `"${EVIL.replace("\x1b", "\\u001b").replace("\x07", "\\u0007")}"`,
    );
  });
});

describe("on stderr", () => {
  it("what the service and the command line say does nothing but stand there", async () => {
    const imported = await kv({ url: server.http, input: `{"key":"a","${EVIL}":1}\n` }, "import", NAME);
    const missing = await kv({ url: server.http }, "get", NAME, `${EVIL}2`);
    const unknown = await kv({ url: server.http }, "get", NAME, "k", `--${EVIL}`);
    for (const { code, err } of [imported, missing, unknown]) {
      expect(code).not.toBe(0);
      expect(err).toMatch(/^[^\0-\x08\x0b-\x1f\x7f-\x9f\u202e]+$/);
    }
  });
});
