/** The text protocol against a model: the same lines over every transport, cut anywhere, have the model's replies. */

import fc from "fast-check";
import { cut } from "./generate/cuts.ts";
import type { Addresses } from "../e2e/support/server.ts";
import { line } from "./generate/commands.ts";
import { TextModel, type ReplyLine } from "./model/text.ts";
import type { Fuzzer, Tally } from "./support/fuzzer.ts";
import { RawClient } from "./support/raw-http.ts";
import { overHttp, overTcp, overWebSocket, type Cuts } from "./support/transports.ts";

const MAX_LINES = 30;

const script = fc.record({
  lines: fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n")), {
    minLength: 1,
    maxLength: MAX_LINES,
    size: "max",
  }),
  cuts: fc.array(cut, { maxLength: 12 }),
});

interface Transport {
  readonly name: string;
  /** Whether it is a bucket's own connection. */
  readonly own: boolean;
  readonly run: (server: Addresses, lines: readonly Buffer[], cuts: Cuts, bucket: string) => Promise<Buffer>;
}

export const textFuzzer: Fuzzer = async (server, namespace, tally) => {
  const client = new RawClient(server.http);
  let runs = 0;
  const transports: readonly Transport[] = [
    { name: "tcp", own: false, run: overTcp },
    { name: "connect", own: false, run: (at, lines, cuts) => overWebSocket(at, "/v1/connect", lines, cuts) },
    { name: "commands", own: false, run: (_, lines, cuts) => overHttp(client, lines, cuts) },
    {
      name: "own",
      own: true,
      run: (at, lines, cuts, bucket) => overWebSocket(at, `/v1/buckets/${bucket}/connect`, lines, cuts),
    },
  ];
  return {
    property: fc.asyncProperty(script, async ({ lines, cuts }) => {
      runs += 1;
      for (const transport of transports) {
        const names = [0, 1].map((index) => `${namespace}-${runs}-${transport.name}-${index}`);
        const drafts = ["PING", `CREATE ${names[0]}`, ...lines.map(([draft]) => draft)];
        const ends = ["\n", "\n", ...lines.map(([, end]) => end)];
        const whole = drafts
          .map((draft, index) => Buffer.from(filled(draft, names) + (ends[index] ?? "\n"), "latin1"))
          // What ends the bucket ends its own connection, and that is another matter.
          .filter((one) => !transport.own || !/STOP/.test(String(one)));
        await compare(server, transport, whole, cuts, names, tally);
      }
    }),
    close: () => client.close(),
  };
};

function filled(draft: string, names: readonly string[]): string {
  return draft
    .replaceAll(/<bucket (\d)>/g, (_, index) => names[Number(index)] ?? "")
    .replaceAll("<namespace>", (names[0] ?? "").slice(0, -1));
}

async function compare(
  server: Addresses,
  { name, own, run }: Transport,
  lines: readonly Buffer[],
  cuts: Cuts,
  [bucket = "", ...others]: readonly string[],
  tally: Tally,
): Promise<void> {
  if (own) await fetch(`${server.http}/v1/buckets/${bucket}`, { method: "PUT" });
  const model = own ? new TextModel(bucket) : new TextModel();
  const expected = lines.map((one) => model.reply(withoutEnd(one)));
  if (name === "tcp") expected.push(["OK"]);
  try {
    const got = await run(server, lines, cuts, bucket).catch((error: unknown) => {
      throw new Error(`no reply over ${name}: ${String(error)}\n${shownLines(lines)}`);
    });
    check(name, lines, expected, got.toString("utf8").split("\r\n"), tally);
  } finally {
    for (const one of [bucket, ...others])
      await fetch(`${server.http}/v1/buckets/${one}`, { method: "DELETE" });
  }
}

/** @throws {Error} at the first line of the replies that is another one */
function check(
  name: string,
  lines: readonly Buffer[],
  expected: readonly (readonly ReplyLine[])[],
  got: string[],
  tally: Tally,
): void {
  if (got.pop() !== "") throw new Error(`the replies over ${name} break off\n${shownLines(lines)}`);
  let at = 0;
  for (const [index, reply] of expected.entries()) {
    for (const wanted of reply) {
      const one = got[at];
      at += 1;
      if (one !== undefined && (typeof wanted === "string" ? one === wanted : wanted.test(one))) continue;
      throw new Error(
        `over ${name} line ${index + 1}, ${shownLine(lines[index])}, is answered ${JSON.stringify(one)}, and not ${String(wanted)}\n${shownLines(lines.slice(0, index + 1))}`,
      );
    }
    tally.count(name, outcomeOf(reply));
  }
  if (at < got.length)
    throw new Error(
      `over ${name} there are replies too many: ${JSON.stringify(got.slice(at))}\n${shownLines(lines)}`,
    );
}

function outcomeOf(reply: readonly ReplyLine[]): string {
  const last = reply.at(-1);
  return typeof last === "string" ? last : "ERROR";
}

function withoutEnd(one: Buffer): Buffer {
  return Buffer.from(one.toString("latin1").replace(/\r?\n$/, ""), "latin1");
}

function shownLine(one: Buffer | undefined): string {
  return JSON.stringify(one?.toString("latin1") ?? "QUIT");
}

function shownLines(lines: readonly Buffer[]): string {
  return lines.map((one) => `  ${shownLine(one)}`).join("\n");
}
