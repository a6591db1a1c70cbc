/** What an answer over HTTP has to be, and whether one is. Pure. */

import type { Api } from "../support/api.ts";
import { differenceOf, type Matcher } from "../support/expect.ts";
import type { Got, Sent } from "../support/raw-http.ts";

/** What an answer has to be. */
export interface Expected {
  /** Each of these codes would be right; with a code there is a problem document of the code's status. */
  readonly codes?: readonly string[];
  /** If none of `codes` came. */
  readonly statuses?: readonly number[];
  readonly headers?: Readonly<Record<string, string | Matcher | undefined>>;
  readonly body?: Buffer;
  readonly json?: unknown;
  /** NDJSON, each of its lines. */
  readonly lines?: readonly unknown[];
  /** Learns from the answer, when it was right. */
  readonly learn?: (got: Got) => void;
  /** The answer promises nothing yet: a request to repeat until it is answered with this status and revision. */
  readonly settled?: { readonly request: Sent; readonly status: number; readonly revision?: number };
}

export interface Planned {
  readonly request: Sent;
  readonly expected: Expected;
}

/** What is wrong with an answer, in words; undefined if nothing is. */
export function faultOf(api: Api, { method, path }: Sent, expected: Expected, got: Got): string | undefined {
  const { status } = got;
  const body = method === "HEAD" || got.stream ? undefined : String(got.body);
  const fault = api.description.faultOf({
    method,
    path,
    status,
    contentType: got.headers["content-type"] ?? null,
    empty: got.body.length === 0 && !got.stream,
    ...(body === undefined || !isJson(got) ? {} : { body }),
  });
  return (
    fault ??
    (status >= 400 ? faultOfRefusal(api, method, expected, got) : faultOfSuccess(method, expected, got))
  );
}

function faultOfRefusal(
  api: Api,
  method: string,
  { codes, statuses }: Expected,
  got: Got,
): string | undefined {
  const wanted = codes ?? [];
  const right =
    method === "HEAD"
      ? wanted.some((code) => api.statusOf(code) === got.status)
      : wanted.includes(codeOf(got));
  if (right && wanted.some((code) => api.statusOf(code) === got.status)) return undefined;
  const named = method === "HEAD" ? "" : ` ${codeOf(got)}`;
  return `the answer is ${got.status}${named}, and not ${[...wanted, ...(statuses ?? [])].join(" or ")}`;
}

function faultOfSuccess(method: string, expected: Expected, got: Got): string | undefined {
  const { statuses = [], codes = [], headers = {}, json, body, lines } = expected;
  if (!statuses.includes(got.status)) {
    return `the status is ${got.status}, and not ${[...statuses, ...codes].join(" or ")}`;
  }
  const wrong = differenceOf(
    headers,
    Object.fromEntries(Object.keys(headers).map((name) => [name, got.headers[name]])),
    "headers",
  );
  if (wrong !== undefined || method === "HEAD") return wrong;
  if (body !== undefined && !body.equals(got.body)) {
    return `the value is ${got.body.length} bytes, ${shownBytes(got.body)}, and not ${body.length}, ${shownBytes(body)}`;
  }
  if (json !== undefined) return differenceOf(json, JSON.parse(String(got.body)));
  if (lines === undefined) return undefined;
  const texts = String(got.body).split("\n").slice(0, -1);
  return differenceOf(
    lines,
    texts.map((line): unknown => JSON.parse(line)),
    "lines",
  );
}

function codeOf({ body }: Got): string {
  return (JSON.parse(String(body)) as { code: string }).code;
}

function isJson({ headers }: Got): boolean {
  return /^application\/(?:problem\+)?json/.test(headers["content-type"] ?? "");
}

function shownBytes(bytes: Buffer): string {
  return bytes.length <= 60 ? bytes.toString("hex") : `${bytes.subarray(0, 60).toString("hex")}…`;
}
