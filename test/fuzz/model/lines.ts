/** What an export has to write, and what an import has to do with its lines. */

import type { Api } from "../support/api.ts";
import { having, Matcher } from "../support/expect.ts";
import { Refused, TEXT_TYPE, timeMatcher, valueJson, type ListQuery, type ModelBucket } from "./bucket.ts";
import type { Expected } from "./expected.ts";
import { MAX_WHOLE_BYTES } from "./limits.ts";
import { bytesOf, faultsOfPut, propertiesOf, type Operation } from "./operations.ts";
import { parsed } from "./request.ts";

type Put = Extract<Operation, { op: "put" }>;

/** One for each entry. */
export function exportLines(bucket: ModelBucket, query: ListQuery): unknown[] {
  return bucket.keysOf(query).map((key) => {
    const { value, type, expires, metadata } = bucket.entries.get(key) ?? { value: Buffer.alloc(0) };
    // What does not travel with others is written as bytes.
    const json = value.length <= MAX_WHOLE_BYTES ? valueJson(value) : { base64: value.toString("base64") };
    const plain = type === TEXT_TYPE && "value" in json;
    return {
      key,
      ...(plain ? {} : { type }),
      ...(expires === undefined ? {} : { expires: timeMatcher(expires) }),
      ...(metadata === undefined ? {} : { metadata }),
      ...json,
    };
  });
}

export function importLines(
  api: Api,
  bucket: ModelBucket,
  body: Buffer | undefined,
  { stop }: { readonly stop: boolean },
): Expected {
  const text = (body ?? Buffer.alloc(0)).toString("latin1");
  const lines = text.split("\n");
  // Empty lines are counted where another follows.
  while (lines.at(-1)?.trim() === "") lines.pop();
  const counts = { imported: 0, unchanged: 0, expired: 0 };
  const errors: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const done = importLine(api, bucket, Buffer.from(line, "latin1"));
    if (typeof done === "string") counts[done] += 1;
    else errors.push(having({ line: index + 1, code: done.code }));
    if (stop && errors.length > 0) {
      // Problem documents are looked at for their code alone.
      return { codes: ["import_stopped"] };
    }
  }
  const report = { lines: lines.length, ...counts, failed: errors.length, errors };
  return { statuses: [200], json: having(report) };
}

function importLine(
  api: Api,
  bucket: ModelBucket,
  line: Buffer,
): "imported" | "unchanged" | "expired" | { readonly code: unknown } {
  const json = parsed(line);
  if (json === undefined || !api.takes("EntryLine", json.value)) return { code: "body_invalid" };
  const put = { op: "put", ...(json.value as object) } as Put;
  const faults = faultsOfPut(put);
  if (faults.length > 0) {
    return { code: new Matcher(faults.join(" or "), (given) => faults.includes(String(given))) };
  }
  if (put.expires !== undefined && Date.parse(put.expires) <= Date.now()) return "expired";
  if (isThere(bucket, put)) return "unchanged";
  try {
    bucket.put(put.key, bytesOf(put), propertiesOf(put));
    return "imported";
  } catch (error) {
    if (error instanceof Refused) return { code: error.code };
    throw error;
  }
}

/** A time to live in seconds begins anew each time. */
function isThere(bucket: ModelBucket, put: Put): boolean {
  const found = bucket.entries.get(put.key);
  const { type, metadata, ttl, expires } = propertiesOf(put);
  return (
    found !== undefined &&
    ttl === undefined &&
    found.value.equals(bytesOf(put)) &&
    found.type === type &&
    JSON.stringify(found.metadata) === JSON.stringify(metadata) &&
    found.expires?.at === (expires === undefined ? undefined : Date.parse(expires))
  );
}
