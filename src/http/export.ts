/** `GET …/export`: the entries of a bucket as NDJSON, one on each line. */

import type { ExportedEntry } from "../directory/export.ts";
import { streamed } from "../lib/streamed.ts";
import { keptText } from "../model/kept-json.ts";
import type { Value } from "../model/value.ts";
import { checkQuery } from "../schema/check.ts";
import { entryJson } from "../schema/entry-json.ts";
import { lineMembers } from "../schema/entry-line.ts";
import { ExportQuery } from "../schema/requests.ts";
import type { Context } from "./context.ts";

const NDJSON_TYPE = "application/x-ndjson";

const encoder = new TextEncoder();

/** Streams an export. If it fails midway, the response errors: a partial export never looks complete. */
export async function exportBucket(
  _request: Request,
  { target, bucket, keepAlive }: Context,
): Promise<Response> {
  const groups = bucket.export(checkQuery(ExportQuery, target.query));
  // Read the first group before the response, so that a missing bucket is an error and not an empty stream.
  const first = await groups.next();
  return new Response(streamed(lines(first, groups), keepAlive), {
    headers: { "Content-Type": NDJSON_TYPE },
  });
}

type Groups = AsyncGenerator<readonly ExportedEntry[], void, void>;

async function* lines(
  first: IteratorResult<readonly ExportedEntry[], void>,
  groups: Groups,
): AsyncGenerator<Uint8Array, void, void> {
  for (let next = first; next.done !== true; next = await groups.next()) {
    let text = "";
    for (const entry of next.value) {
      const { value } = entry;
      if (isWhole(value)) text += `${lineText(entry, value)}\n`;
      else if (value.whole !== undefined) text += `${lineText(entry, value.whole)}\n`;
      else yield* largeLine(entry, value.pieces());
    }
    if (text !== "") yield encoder.encode(text);
  }
}

/** The line of a large value. `base64` is its last member, written as chunks are read, never whole in memory. */
async function* largeLine(
  entry: ExportedEntry,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield encoder.encode(`${lineText(entry).slice(0, -1)},"base64":"`);
  for await (const text of base64Of(pieces)) yield encoder.encode(text);
  yield encoder.encode('"}\n');
}

function lineText({ incarnation, key, info }: ExportedEntry, value?: Value): string {
  return keptText(lineMembers(entryJson(incarnation, key, info, value)));
}

function isWhole(value: ExportedEntry["value"]): value is Value {
  return typeof value === "string" || value instanceof ArrayBuffer;
}

/** Encodes bytes to base64 piece by piece; three bytes are four characters, so up to two bytes wait for the next piece. */
async function* base64Of(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let rest = new Uint8Array(0);
  for await (const piece of pieces) {
    const bytes = new Uint8Array(rest.byteLength + piece.byteLength);
    bytes.set(rest);
    bytes.set(piece, rest.byteLength);
    const end = bytes.byteLength - (bytes.byteLength % 3);
    yield bytes.subarray(0, end).toBase64();
    rest = bytes.slice(end);
  }
  if (rest.byteLength > 0) yield rest.toBase64();
}
