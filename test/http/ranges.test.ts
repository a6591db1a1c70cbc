/** The Range header (RFC 9110 §14). */

import { describe, expect, it } from "vitest";
import { byteRangeOf } from "../../src/http/ranges.ts";
import { ask, bucket, put } from "../support/http.ts";

const TAG = '"t-1"';
const range = (header: string, size: number, ifRange?: string): unknown =>
  byteRangeOf(
    new Headers({ Range: header, ...(ifRange === undefined ? {} : { "If-Range": ifRange }) }),
    size,
    TAG,
  );

describe("a range (RFC 9110 §14)", () => {
  it.each([
    ["bytes=0-4", 10, { first: 0, last: 4 }],
    ["bytes=5-", 10, { first: 5, last: 9 }],
    ["bytes=-3", 10, { first: 7, last: 9 }],
    ["bytes=-30", 10, { first: 0, last: 9 }],
    ["bytes=9-99", 10, { first: 9, last: 9 }],
    ["BYTES=0-0", 10, { first: 0, last: 0 }],
    ["bytes= 0-4 ", 10, { first: 0, last: 4 }],
    ["bytes=,0-4,", 10, { first: 0, last: 4 }],
    [`bytes=0-${"9".repeat(400)}`, 10, { first: 0, last: 9 }],
    [`bytes=-${"9".repeat(400)}`, 10, { first: 0, last: 9 }],
  ])("%s of %d bytes is %o", (header, size, expected) => {
    expect(range(header, size)).toEqual(expected);
  });

  it.each([
    ["bytes=10-", 10],
    ["bytes=10-20", 10],
    ["bytes=-0", 10],
    ["bytes=-0", 0],
    ["bytes=0-", 0],
    ["bytes=0-4", 0],
    [`bytes=${"9".repeat(400)}-`, 10],
  ])("%s of %d bytes can't be satisfied", (header, size) => {
    expect(range(header, size)).toBe("unsatisfiable");
  });

  it.each([
    ["bytes=-5", 0, "the last bytes of no bytes are all of them"],
    ["bytes=4-1", 10, "it is no range"],
    ["bytes=", 10, "there is none"],
    ["bytes=-", 10, "it is no range"],
    ["bytes=a-b", 10, "it is no range"],
    ["bytes=0-1,3-4", 10, "several may be answered as a whole"],
    ["lines=0-1", 10, "the unit is not ours"],
  ])("%s of %d bytes is not heeded: %s", (header, size) => {
    expect(range(header, size)).toBeUndefined();
  });

  it("counts only if If-Range is the value's tag, compared strongly", () => {
    expect(range("bytes=0-0", 10, TAG)).toEqual({ first: 0, last: 0 });
    for (const other of ['"t-2"', `W/${TAG}`, "Sun, 06 Nov 1994 08:49:37 GMT"]) {
      expect(range("bytes=0-0", 10, other)).toBeUndefined();
    }
  });

  it("of an empty value is answered with the empty value", async () => {
    const b = await bucket("empty range");
    await put(`${b}/keys/empty`, "");
    const suffix = await ask(`${b}/keys/empty`, { headers: { Range: "bytes=-5" } });
    expect([suffix.status, await suffix.text()]).toEqual([200, ""]);
    const first = await ask(`${b}/keys/empty`, { headers: { Range: "bytes=0-" } });
    expect([first.status, first.headers.get("Content-Range")]).toEqual([416, "bytes */0"]);
  });
});
