/** Text commands whose connection to their bucket breaks. */

import { describe, expect, it } from "vitest";
import type { Answer, BucketCommand } from "../../src/text/command.ts";
import { linesOf } from "../../src/text/lines.ts";
import { Interpreter } from "../../src/text/interpreter.ts";
import { KvError } from "../../src/model/errors.ts";
import { Exit } from "../../src/otp/exit.ts";
import type { AskOptions, BucketRequest, Directory } from "../../src/directory/directory.ts";
import type { BucketStub } from "../../src/rpc/bucket-rpc.ts";
import { directoryService } from "../../src/connection/service.ts";

/** What a bucket was asked, as often as it was. */
interface Asked {
  readonly verbs: string[];
  readonly options: AskOptions | undefined;
}

/** A directory of one bucket whose connection breaks the first time that it is asked. */
function breakingDirectory(answersPerHop = Infinity): { directory: Directory; asked: Asked[] } {
  const asked: Asked[] = [];
  const answer = ({ verb }: BucketCommand): Answer =>
    verb === "GET" ? { kind: "value", value: "1" } : { kind: "ok" };
  const call = async (
    _name: string,
    request: BucketRequest<readonly Answer[]>,
    options?: AskOptions,
  ): Promise<object> => {
    let commands: readonly BucketCommand[] = [];
    await request(undefined as unknown as BucketStub, async (given) => {
      commands = given[1] as readonly BucketCommand[];
      return { reply: null };
    });
    asked.push({ verbs: commands.map(({ verb }) => verb), options });
    if (asked.length === 1) throw new Exit("noconnection");
    return { reply: commands.slice(0, answersPerHop).map(answer) };
  };
  return { directory: { call } as unknown as Directory, asked };
}

async function replies(directory: Directory, text: string): Promise<string[]> {
  const interpreter = new Interpreter(directoryService(directory), { admitted: true, accepts: () => true });
  let said = "";
  for await (const piece of interpreter.run(linesOf(text))) said += piece;
  return said.split("\r\n").map((line) => (line.startsWith("ERROR") ? line.split(" ", 2).join(" ") : line));
}

describe("commands of one bucket whose connection breaks", () => {
  it("are done again where they read, also beside others, whose outcome is unknown", async () => {
    const { directory, asked } = breakingDirectory();
    const unknown = "ERROR UNAVAILABLE";
    expect(await replies(directory, "PUT b k 1\nGET b k\nINCR b n\nGET b n\nDELETE b k\n")).toEqual([
      unknown,
      "1",
      "OK",
      unknown,
      "1",
      "OK",
      unknown,
      "",
    ]);
    expect(asked).toEqual([
      { verbs: ["PUT", "GET", "INCR", "GET", "DELETE"], options: undefined },
      { verbs: ["GET", "GET"], options: { repeat: "twice" } },
    ]);
  });

  it("are never done again where they change something, however few of the others are answered", async () => {
    const { directory, asked } = breakingDirectory(1);
    await replies(directory, "GET b k\nPUT b k 1\nGET b k\nINCR b n\n");
    expect(asked.slice(1).flatMap(({ verbs }) => verbs)).not.toContain("PUT");
    expect(asked.slice(1).flatMap(({ verbs }) => verbs)).not.toContain("INCR");
  });

  it("fail for a reason of their own where they are done again, which is not that of the others", async () => {
    const { directory } = breakingDirectory();
    const { call } = directory as unknown as { call: (...args: unknown[]) => Promise<unknown> };
    let calls = 0;
    const refused = async (...args: unknown[]): Promise<unknown> => {
      calls += 1;
      if (calls === 2) throw new KvError("restart_intensity", "Nothing was done.");
      return call(...args);
    };
    expect(await replies({ call: refused } as unknown as Directory, "PUT b k 1\nGET b k\n")).toEqual([
      "ERROR UNAVAILABLE",
      "ERROR RESTART_INTENSITY",
      "",
    ]);
  });

  it("that only change something are not asked for again", async () => {
    const { directory, asked } = breakingDirectory();
    expect(await replies(directory, "PUT b k 1\nINCR b n\n")).toEqual([
      "ERROR UNAVAILABLE",
      "ERROR UNAVAILABLE",
      "",
    ]);
    expect(asked.length).toBe(1);
  });
});
