/** `GET …/export`: a bucket's entries as NDJSON, one a line. */

import { entryJson, type EntryJson, type KeysPage } from "../schema/entry-json.ts";
import { Transfer } from "../directory/transfer.ts";
import { keptText } from "../model/kept-json.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { checkQuery } from "../schema/check.ts";
import { lineMembers } from "../schema/entry-line.ts";
import { parseKeeping } from "../schema/kept-members.ts";
import { ExportQuery } from "../schema/requests.ts";
import type { Context } from "./context.ts";
import { behindKey } from "../model/cursor.ts";
import { streamed } from "../lib/streamed.ts";
import { bucketNotFound } from "./keys.ts";
import { READ } from "../directory/directory.ts";

const NDJSON_TYPE = "application/x-ndjson";

const encoder = new TextEncoder();

/** Each entry is as it was when its page was read. An export that can't go on breaks off: it never just ends. */
export async function exportBucket(_request: Request, context: Context): Promise<Response> {
  const { directory, target, keepAlive } = context;
  const name = target.bucket;
  const range = checkQuery(ExportQuery, target.query);
  // Its pages are one bucket's: the next one of the name has other entries.
  const ask = directory.whereis(name);
  const read = async (after: string | undefined): Promise<KeysPage> => {
    const page = await ask((bucket) => bucket.list({ ...range, after, values: true, limit: MAX_PAGE }), READ);
    if (page === undefined) throw bucketNotFound(name);
    return pageOf(page);
  };
  const transfer = new Transfer(ask, keepAlive);
  const first = await read(undefined);
  return new Response(streamed(lines(), keepAlive), { headers: { "Content-Type": NDJSON_TYPE } });

  async function* lines(): AsyncGenerator<Uint8Array, void, void> {
    for (let page = first; ; page = await read(behindKey(page.cursor).after)) {
      yield* linesOf(page);
      if (page.cursor === undefined) return;
    }
  }

  async function* linesOf(page: KeysPage): AsyncGenerator<Uint8Array, void, void> {
    let text = "";
    for (const entry of page.keys) {
      if (hasValue(entry)) {
        text += `${keptText(lineMembers(entry))}\n`;
        continue;
      }
      yield encoder.encode(text);
      text = "";
      yield* largeLine(entry.key);
    }
    if (text !== "") yield encoder.encode(text);
  }

  /** A value that does not travel with others comes last in its line, as it is read, and is never here as a whole. */
  async function* largeLine(key: string): AsyncGenerator<Uint8Array, void, void> {
    const found = await ask((bucket) => bucket.get(key, {}), READ);
    if (found === undefined) throw bucketNotFound(name);
    if (found.outcome !== "found") return; // deleted meanwhile
    const { entry } = found;
    const { large, size } = entry;
    const incarnation = found.etag.split("-", 1)[0] ?? "";
    if (large === null) {
      yield encoder.encode(`${keptText(lineMembers(entryJson(incarnation, key, entry, entry.value)))}\n`);
      return;
    }
    const head = keptText(lineMembers(entryJson(incarnation, key, entry)));
    yield encoder.encode(`${head.slice(0, -1)},"base64":"`);
    for await (const text of base64Of(transfer.chunks({ large, size }))) yield encoder.encode(text);
    yield encoder.encode('"}\n');
  }
}

/** Its metadata as it was sent. */
function pageOf(text: string): KeysPage {
  const parse = (part: string): unknown => JSON.parse(part);
  return parseKeeping(text, parse) as KeysPage;
}

function hasValue({ value, base64 }: EntryJson): boolean {
  return value !== undefined || base64 !== undefined;
}

/** Bytes in base64, piece by piece: three bytes are four characters. */
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
