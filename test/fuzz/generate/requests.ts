/** Requests made from the description: every operation, with parameters and bodies from its schemas, valid and nearly so. */

import fc from "fast-check";
import type { Api, Operation, Parameter } from "../support/api.ts";
import type { Sent } from "../support/raw-http.ts";
import * as names from "./names.ts";
import { nearlyTaken } from "./schema.ts";
import * as values from "./values.ts";

/** A request before it is known what its buckets are called and what tags their entries have. */
export interface Draft {
  readonly method: string;
  /** With `<bucket 0>` for a name. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly chunked: boolean;
}

/** How often an operation is drawn; 2 if left out. */
const WEIGHTS: Readonly<Record<string, number>> = {
  putKey: 12,
  getKey: 8,
  headKey: 3,
  deleteKey: 3,
  getAndDeleteKey: 4,
  incrementKey: 8,
  runBatch: 10,
  runTransaction: 10,
  listKeys: 5,
  createBucket: 4,
  stopBucket: 1,
  exitBucket: 1,
  importBucket: 3,
  exportBucket: 2,
  monitorBucket: 1,
  watchBucket: 1,
  allEvents: 1,
  describeApi: 1,
  showDocs: 1,
};
/** How often a parameter of a query is there, one in so many; 4 if left out. */
const ONE_IN: Readonly<Record<string, number>> = { key64: 12, ttl: 6, expires: 8, cursor: 8 };
const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"];

/** One request of any operation. */
export function drafts(api: Api): fc.Arbitrary<Draft> {
  return fc.oneof(
    ...api.operations.map((operation) => ({
      weight: WEIGHTS[operation.id] ?? 2,
      arbitrary: draftOf(api, operation),
    })),
  );
}

/** The same with what its placeholders stand for. */
export function filled(
  { path, headers, body, ...rest }: Draft,
  bucketName: (index: number) => string,
  tagOf: (key: string) => string,
): Sent {
  const fill = (text: string): string => text.replaceAll(values.TAG_OF, (_, key: string) => tagOf(key));
  return {
    ...rest,
    path: path.replaceAll(/<bucket (\d)>/g, (_, index) => bucketName(Number(index))),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
    // Latin-1 leaves bytes as they are.
    body: body && Buffer.from(fill(body.toString("latin1")), "latin1"),
  };
}

const bucket: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: fc.constant("<bucket 0>") },
  { weight: 6, arbitrary: fc.constant("<bucket 1>") },
  { weight: 1, arbitrary: fc.constantFrom("%", "a%20b", "%22", "b".repeat(257), "%C3%A9", "a%2Fb") },
);

const segment: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(names.nearlyKey, fc.nat({ max: 5 }))
      .map(([key, how]) => names.segmentOf(key.toWellFormed(), how)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...names.BROKEN_SEGMENTS) },
);

function draftOf(api: Api, operation: Operation): fc.Arbitrary<Draft> {
  const { template, parameters } = operation;
  const of = (place: Parameter["in"]): Parameter[] => parameters.filter((one) => one.in === place);
  return fc
    .record({
      bucket,
      key: segment,
      query: queryOf(api, of("query")),
      headers: headersOf(operation, of("header")),
      body: bodyOf(api, operation),
      method: fc.oneof(
        { weight: 60, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      chunked: fc.nat({ max: 5 }).map((one) => one === 5),
    })
    .map((drawn) => {
      const path = template.replace("{bucket}", drawn.bucket).replace("{key}", drawn.key);
      const bodiless = drawn.method === "GET" || drawn.method === "HEAD";
      return {
        method: drawn.method,
        path: drawn.query === "" ? path : `${path}?${drawn.query}`,
        headers: drawn.headers,
        body: bodiless ? undefined : drawn.body,
        chunked: drawn.chunked && drawn.body !== undefined && !bodiless,
      };
    });
}

function queryOf(api: Api, parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const some = parameters.map((parameter) =>
    fc
      .tuple(fc.nat({ max: (ONE_IN[parameter.name] ?? 4) - 1 }), parameterOf(api, parameter))
      .map(([often, text]) => (often === 0 ? [`${parameter.name}=${text}`] : [])),
  );
  const odd = fc.oneof(
    { weight: 60, arbitrary: fc.constant<string[]>([]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(["more=1"], ["x"], ["prefix=%FF"], ["limit=1", "limit=2"], ["ttl"], ["="]),
    },
  );
  return fc.tuple(odd, ...some).map((parts) => parts.flat().join("&"));
}

/** A parameter's text, percent-encoded. */
function parameterOf(api: Api, { name, schema }: Parameter): fc.Arbitrary<string> {
  const encoded = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
    arbitrary.map((value) =>
      encodeURIComponent((typeof value === "string" ? value : JSON.stringify(value)).toWellFormed()),
    );
  switch (name) {
    case "key64":
      return fc.oneof(
        { weight: 9, arbitrary: names.nearlyKey.map((key) => Buffer.from(key).toString("base64url")) },
        { weight: 1, arbitrary: fc.constantFrom("!", "A", "_w", "%FF") },
      );
    case "cursor":
      return fc.oneof(
        { weight: 9, arbitrary: names.key.map((key) => Buffer.from(key).toString("base64url")) },
        { weight: 1, arbitrary: fc.constantFrom("!", "", "_w") },
      );
    case "metadata":
      return fc.oneof(
        { weight: 9, arbitrary: encoded(values.metadata.map((value) => JSON.stringify(value))) },
        { weight: 1, arbitrary: fc.constantFrom("", "{", "1%202") },
      );
    case "ttl":
      return encoded(values.ttl);
    case "expires":
      return encoded(values.expires);
    case "prefix":
    case "start":
    case "end":
      return fc.oneof(
        { weight: 40, arbitrary: encoded(names.prefix) },
        { weight: 1, arbitrary: fc.constant("x".repeat(2_049)) },
      );
    case "limit":
      return fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom("1", "2", "3", "1000") },
        { weight: 2, arbitrary: fc.constantFrom("0", "1001", "1.5", "-1", "x", "", "1.0") },
      );
    case "key":
      return encoded(names.nearlyKey);
    default:
      return fc.oneof(
        { weight: 9, arbitrary: encoded(nearlyTaken(api, schema)) },
        { weight: 1, arbitrary: fc.constantFrom("", "TRUE", "1", "null") },
      );
  }
}

function headersOf({ id }: Operation, declared: readonly Parameter[]): fc.Arbitrary<Record<string, string>> {
  const maybe = (arbitrary: fc.Arbitrary<string>, oneIn: number): fc.Arbitrary<string | undefined> =>
    fc
      .tuple(fc.nat({ max: oneIn - 1 }), arbitrary)
      .map(([often, value]) => (often === 0 ? value : undefined));
  const own = Object.fromEntries(
    declared.flatMap(({ name }) => {
      const arbitrary = HEADERS[name];
      return arbitrary === undefined ? [] : [[name, maybe(arbitrary, 4)] as const];
    }),
  );
  const others = id === "putKey" ? PUT_HEADERS : {};
  return fc
    .record({
      ...Object.fromEntries(
        Object.entries(others).map(([name, [arbitrary, oneIn]]) => [name, maybe(arbitrary, oneIn)]),
      ),
      // Where it is not heeded it is refused.
      "If-Match": maybe(values.tagHeader, 40),
      "Idempotency-Key": maybe(fc.constantFrom("a", "b"), 40),
      ...own,
    })
    .map((headers) =>
      Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, latin1(value)]],
        ),
      ),
    );
}

const HEADERS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "If-Match": values.tagHeader,
  "If-None-Match": values.tagHeader,
  "If-Range": fc.oneof(values.tagHeader, fc.constant("Thu, 26 Nov 2026 04:00:00 GMT")),
  Range: fc.constantFrom(
    "bytes=0-0",
    "bytes=0-",
    "bytes=-1",
    "bytes=1-2",
    "bytes=2-1",
    "bytes=0-1,2-3",
    "bytes=999999-",
    "bytes=-999999",
    "Bytes=0-3",
    "bytes=-",
    "lines=0-1",
    "bytes=0-99999999999999999999",
  ),
  Prefer: fc.constantFrom("respond-async", "wait=1, Respond-Async", "return=minimal", '"respond-async"'),
  "Idempotency-Key": fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("a", "b", "c") },
    { weight: 1, arbitrary: fc.constantFrom("", "é", "i".repeat(256), "i".repeat(257)) },
  ),
  "Last-Event-ID": fc.constantFrom("", "x", "0", "1-ab", "99999999999999999999"),
};

/** What a value may come with, and how seldom. */
const PUT_HEADERS: Readonly<Record<string, readonly [fc.Arbitrary<string>, number]>> = {
  "Content-Type": [values.type, 3],
  "Content-Encoding": [fc.constantFrom("identity", "Identity", "gzip"), 30],
  "Content-Range": [fc.constant("bytes 0-0/1"), 60],
};

function bodyOf(api: Api, { id, body }: Operation): fc.Arbitrary<Buffer | undefined> {
  if (body === undefined) return fc.constant(undefined);
  if (id === "putKey") {
    return fc.oneof(
      { weight: 60, arbitrary: values.bytes },
      { weight: 1, arbitrary: values.largeBytes },
      { weight: 3, arbitrary: fc.constant(undefined) },
    );
  }
  if (id === "importBucket") return importBody(api);
  if (id === "runCommands")
    return fc.constantFrom("PING\n", "PING\r\nHELP", "nothing\n", "").map((text) => Buffer.from(text));
  const whole = nearlyTaken(api, body.schema).map((value) => Buffer.from(JSON.stringify(value)));
  const choices = [
    { weight: 40, arbitrary: whole },
    { weight: 1, arbitrary: fc.constantFrom(...BROKEN_JSON).map((text) => Buffer.from(text, "latin1")) },
    { weight: 1, arbitrary: whole.map((bytes) => Buffer.concat([Buffer.from("\uFEFF"), bytes])) },
  ];
  return body.required
    ? fc.oneof(...choices)
    : fc.oneof(...choices, { weight: 12, arbitrary: fc.constant(undefined) });
}

const BROKEN_JSON = ["", "{", "[", "[]]", '{"by":1e}', "\xff", '"\xe9"', "nul", "[1,]", "\0"];

function importBody(api: Api): fc.Arbitrary<Buffer> {
  const line = nearlyTaken(api, { $ref: "#/components/schemas/EntryLine" }).map((value) =>
    JSON.stringify(value),
  );
  return fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 12, arbitrary: line },
          { weight: 1, arbitrary: fc.constantFrom("", " ", "{", "[]") },
        ),
        {
          maxLength: 5,
        },
      ),
      fc.constantFrom("\n", "\n", "\r\n"),
      fc.boolean(),
    )
    .map(([lines, end, last]) => Buffer.from(lines.join(end) + (last && lines.length > 0 ? end : "")));
}

/** What a header can carry, each character a byte. */
function latin1(text: string): string {
  return text.replaceAll(/[^\t\x20-\xff]/g, "?");
}
