/** A stream of lines in parts. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { Parts } from "../../src/client/parts.ts";

const encoder = new TextEncoder();

/** A stream of these pieces, empty ones among them. */
function streamOf(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  const left = pieces.map((piece) => encoder.encode(piece));
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

/** The parts as text, and how many lines came before each. */
async function partsOf(stream: ReadableStream<Uint8Array>, limit: number) {
  const parts = new Parts(stream, limit);
  const all: { readonly before: number; readonly text: string }[] = [];
  do all.push({ before: parts.lines, text: await new Response(parts.next()).text() });
  while (await parts.more());
  return all;
}

const texts = async (limit: number, ...pieces: readonly string[]): Promise<string[]> =>
  (await partsOf(streamOf(...pieces), limit)).map(({ text }) => text);

describe("the parts of a stream", () => {
  it("are one if it is small, or empty", async () => {
    expect(await texts(10, "a\nb\n", "c")).toEqual(["a\nb\nc"]);
    expect(await texts(10)).toEqual([""]);
  });

  it("end at the end of a line", async () => {
    expect(await texts(5, "a\nb\nc\nd\n")).toEqual(["a\nb\n", "c\nd\n"]);
    expect(await texts(4, "a\nb\n", "c\nd\n", "")).toEqual(["a\nb\n", "c\nd\n"]);
    expect(await texts(5, "a\n", "bc", "d", "ef\n")).toEqual(["a\n", "bcdef\n"]);
  });

  it("are longer than the limit only for a line that is", async () => {
    expect(await texts(3, "a\nlonger\nb\n")).toEqual(["a\n", "longer\n", "b\n"]);
    expect(await texts(3, "lon", "ger", "\nb\n")).toEqual(["longer\n", "b\n"]);
  });

  it("have all bytes of any stream, within the limit, and know how many lines came before", async () => {
    const line = fc.string({ maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(fc.nat(8), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        async (lines, sizes, limit) => {
          const bytes = encoder.encode(lines.join("\n"));
          let at = 0;
          let turn = 0;
          const source = new ReadableStream<Uint8Array>({
            pull(controller) {
              // A stream of empty pieces only would never end.
              const size = Math.max(turn % 2, sizes[turn % sizes.length] ?? 1);
              turn += 1;
              if (at >= bytes.byteLength) controller.close();
              else controller.enqueue(bytes.subarray(at, (at += size)));
            },
          });
          const parts = await partsOf(source, limit);
          expect(parts.map(({ text }) => text).join("")).toBe(
            new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
          );
          let before = "";
          for (const [index, part] of parts.entries()) {
            expect(part.before).toBe(before.split("\n").length - 1);
            if (index < parts.length - 1) expect(part.text.endsWith("\n")).toBe(true);
            const isOneLine = part.text.indexOf("\n") >= part.text.length - 1 || !part.text.includes("\n");
            if (!isOneLine) expect(encoder.encode(part.text).byteLength).toBeLessThanOrEqual(limit);
            before += part.text;
          }
        },
      ),
      { seed: inject("seed") },
    );
  });

  it("need no more memory than what is read", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(encoder.encode("line\n"));
        },
      },
      { highWaterMark: 0 },
    );
    const reader = new Parts(endless, 1_000).next().getReader();
    await reader.read();
    expect(pulled).toBe(1);
    await reader.cancel();
  });

  it("cancel the stream when one of them is cancelled", async () => {
    const told = Promise.withResolvers<unknown>();
    const parts = new Parts(new ReadableStream<Uint8Array>({ cancel: told.resolve }), 10);
    await parts.next().cancel("enough");
    expect(await told.promise).toBe("enough");
    expect(await parts.more()).toBe(false);
  });
});
