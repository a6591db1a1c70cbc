/** Commands that arrive together, and their replies. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Answer, BucketCommand } from "../../src/text/command.ts";
import { linesOf } from "../../src/text/lines.ts";
import { Interpreter, type Admission, type Service } from "../../src/text/interpreter.ts";
import { KvError } from "../../src/model/errors.ts";
import { Exit } from "../../src/otp/exit.ts";

/** A service in memory. `hops` has each journey to a bucket: its name, and how many commands travelled. */
class MemoryService implements Service {
  readonly all = new Map<string, Map<string, string>>();
  readonly hops: [string, number][] = [];
  atOnce = 0;
  mostAtOnce = 0;
  answersPerHop = Infinity;
  fail: Error | undefined;

  async create(bucket: string): Promise<void> {
    if (!this.all.has(bucket)) this.all.set(bucket, new Map());
  }
  async lookup(bucket: string): Promise<string | undefined> {
    return this.all.has(bucket) ? `id of ${bucket}` : undefined;
  }
  async stop(bucket: string): Promise<boolean> {
    return this.all.delete(bucket);
  }
  async exit(bucket: string): Promise<boolean> {
    return this.all.has(bucket);
  }
  async monitor(bucket: string): Promise<boolean> {
    return this.all.has(bucket);
  }
  async buckets(): Promise<string[]> {
    return [...this.all.keys()].toSorted();
  }
  async subscribe(bucket: string): Promise<boolean> {
    return this.all.has(bucket);
  }
  async run(bucket: string, commands: readonly BucketCommand[]): Promise<Answer[] | undefined> {
    this.hops.push([bucket, commands.length]);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce -= 1;
    if (this.fail !== undefined) throw this.fail;
    const entries = this.all.get(bucket);
    return entries && commands.slice(0, this.answersPerHop).map((command) => answer(entries, command));
  }
}

function answer(entries: Map<string, string>, command: BucketCommand): Answer {
  if (command.verb === "PUT") entries.set(command.key, command.value as string);
  if (command.verb === "DELETE") entries.delete(command.key);
  if (command.verb !== "GET") return { kind: "ok" };
  const value = entries.get(command.key);
  return value === undefined ? { kind: "absent" } : { kind: "value", value };
}

const open: Admission = { admitted: true, accepts: () => true };
const locked = (): Admission => ({ admitted: false, accepts: (token) => token === "secret" });

async function converse(interpreter: Interpreter, text: string): Promise<string> {
  let replies = "";
  for await (const piece of interpreter.run(linesOf(text))) replies += piece;
  return replies;
}

const ask = (service: Service, text: string, admission: Admission = open): Promise<string> =>
  converse(new Interpreter(service, admission), text);

describe("commands that arrive together", () => {
  it("travel in one hop where they are for one bucket", async () => {
    const service = new MemoryService();
    await service.create("a");
    expect(await ask(service, "PUT a k 1\nGET a k\nDELETE a k\nGET a k")).toBe(
      "OK\r\n1\r\nOK\r\nOK\r\n\r\nOK\r\n",
    );
    expect(service.hops).toEqual([["a", 3 + 1]]);
  });

  it("travel in one hop for each bucket, with replies in the order of the lines", async () => {
    const service = new MemoryService();
    await service.create("a");
    await service.create("b");
    expect(await ask(service, "PUT a k 1\nPUT b k 2\nGET a k\nGET nope k\nGET b k")).toBe(
      "OK\r\nOK\r\n1\r\nOK\r\nNOT FOUND\r\n2\r\nOK\r\n",
    );
    expect(service.hops).toEqual([
      ["a", 2],
      ["b", 2],
      ["nope", 1],
    ]);
  });

  it("wait for a command about buckets that stands before them, and it for those before it", async () => {
    const service = new MemoryService();
    expect(await ask(service, "PUT a k 1\nCREATE a\nPUT a k 1\nSTOP a\nGET a k")).toBe(
      "NOT FOUND\r\nOK\r\nOK\r\nOK\r\nNOT FOUND\r\n",
    );
  });

  it("ask at most six buckets at once", async () => {
    const service = new MemoryService();
    const names = Array.from({ length: 40 }, (_, index) => `b${index}`);
    expect(await ask(service, names.map((name) => `GET ${name} k`).join("\n"))).toBe(
      "NOT FOUND\r\n".repeat(40),
    );
    expect(service.mostAtOnce).toBe(6);
  });

  it("get the same replies as one by one, however few of them a hop answers", async () => {
    const command = fc.oneof(
      fc.tuple(
        fc.constantFrom("PUT"),
        fc.constantFrom("a", "b", "c", "d", "nope"),
        fc.constantFrom("k", "l"),
        fc.nat(9),
      ),
      fc.tuple(
        fc.constantFrom("GET", "DELETE"),
        fc.constantFrom("a", "b", "c", "d", "nope"),
        fc.constantFrom("k", "l"),
      ),
      fc.tuple(fc.constantFrom("CREATE", "STOP", "LOOKUP", "PING", "bad"), fc.constantFrom("a", "b")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (words, perHop) => {
          const lines = words.map((parts) => parts.join(" "));
          const together = new MemoryService();
          together.answersPerHop = perHop;
          const oneByOne = new MemoryService();
          let expected = "";
          for (const line of lines) expected += await ask(oneByOne, line);
          expect(lines.length === 0 ? "" : await ask(together, lines.join("\n"))).toBe(expected);
          expect(together.all).toEqual(oneByOne.all);
        },
      ),
    );
  });
});

describe("a failure", () => {
  it("is an ERROR line with its code, and the connection goes on", async () => {
    const service = new MemoryService();
    service.fail = new Exit("timeout");
    const interpreter = new Interpreter(service, open);
    expect(await converse(interpreter, "GET a k\nPING")).toMatch(
      /^ERROR TIMEOUT [^\r\n]*unknown[^\r\n]*\r\nPONG\r\n$/,
    );
    expect(interpreter.closed).toBe(false);
  });

  it("of a refusal has the refusal's code", async () => {
    const service = new MemoryService();
    service.fail = new KvError("partitions_mismatch", "sixteen");
    expect(await ask(service, "GET a k")).toBe("ERROR PARTITIONS_MISMATCH sixteen\r\n");
  });
});

describe("a connection", () => {
  it("ends with QUIT, and runs nothing behind it", async () => {
    const service = new MemoryService();
    const interpreter = new Interpreter(service, open);
    expect(await converse(interpreter, "QUIT\nCREATE a")).toBe("OK\r\n");
    expect(interpreter.closed).toBe(true);
    expect(service.all.size).toBe(0);
  });

  it("ends at the first line of an HTTP request, and runs nothing of its body", async () => {
    const service = new MemoryService();
    const interpreter = new Interpreter(service, open);
    const replies = await converse(
      interpreter,
      "POST /x HTTP/1.1\r\nHost: localhost:4040\r\n\r\nCREATE a\r\n",
    );
    expect(replies).toMatch(/^ERROR WRONG_PROTOCOL [^\r\n]*\r\n$/);
    expect(interpreter.closed).toBe(true);
    expect(service.all.size).toBe(0);
  });

  it("runs nothing but AUTH, PING, HELP and QUIT until it has shown the token", async () => {
    const service = new MemoryService();
    const interpreter = new Interpreter(service, locked());
    expect(await converse(interpreter, "CREATE a\nGET a k\nbogus\nPING\nAUTH wrong\nCREATE a")).toBe(
      "ERROR UNAUTHORIZED\r\n".repeat(3) + "PONG\r\n" + "ERROR UNAUTHORIZED\r\n".repeat(2),
    );
    expect(service.all.size).toBe(0);
    expect(await converse(interpreter, "AUTH secret\nCREATE a")).toBe("OK\r\nOK\r\n");
    expect(service.all.size).toBe(1);
  });
});
