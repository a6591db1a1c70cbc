/** A bucket's sessions against a model: the same requests, in messages of one or many, have the model's answers. */

import fc from "fast-check";
import { cut } from "./generate/cuts.ts";
import { nearlyTaken } from "./generate/schema.ts";
import { TAG_OF } from "./generate/values.ts";
import { ModelBucket } from "./model/bucket.ts";
import { SessionModel } from "./model/session.ts";
import { apiOf, type Api } from "./support/api.ts";
import { differenceOf, isObject, shown } from "./support/expect.ts";
import type { Fuzzer, Tally } from "./support/fuzzer.ts";
import { converse, groupsOf } from "./support/transports.ts";

const MAX_REQUESTS = 20;
/** How many characters have been read is not answered. */
const ACK = '{"ack": 10}';

export const sessionFuzzer: Fuzzer = async ({ http, httpPort }, namespace, tally) => {
  const api = await apiOf(http);
  let runs = 0;
  return {
    property: fc.asyncProperty(conversation(api), async ({ requests, cuts, ack }) => {
      runs += 1;
      const path = `/v1/buckets/${namespace}-${runs}`;
      const created = await fetch(http + path, { method: "PUT" });
      const bucket = new ModelBucket();
      bucket.incarnation = ((await created.json()) as { incarnation: string }).incarnation;
      const filled = requests.map((request) => withTags(request, bucket));
      const model = new SessionModel(api, bucket);
      const expected = filled.map((request) => model.answer(request));
      try {
        const groups = groupsOf(filled, cuts);
        const messages = groups.map((group, index) => encoded(group, index));
        const got = await converse(`ws://127.0.0.1:${httpPort}${path}/session`, messages, ack ? [ACK] : []);
        const wrong = faultOf(got, groups, expected, tally);
        if (wrong !== undefined) throw new Error(wrong);
      } catch (error) {
        throw new Error(
          `${(error as Error).message}\n${filled.map((one) => `  ${JSON.stringify(one)}`).join("\n")}`,
          {
            cause: error,
          },
        );
      } finally {
        await fetch(http + path, { method: "DELETE" });
      }
    }),
    close: () => undefined,
  };
};

function conversation(api: Api): fc.Arbitrary<{
  readonly requests: readonly unknown[];
  readonly cuts: readonly number[];
  readonly ack: boolean;
}> {
  const request = nearlyTaken(api, { $ref: "#/components/schemas/SessionRequest" });
  return fc
    .record({
      requests: fc.array(request, { minLength: 1, maxLength: MAX_REQUESTS, size: "max" }),
      cuts: fc.array(cut, { maxLength: 6 }),
      ack: fc.boolean(),
    })
    .map(({ requests, ...rest }) => ({ ...rest, requests: requests.map(identified) }));
}

/** With an id by which its answer is known. */
function identified(request: unknown, index: number): unknown {
  return isObject(request) && isObject(request["batch"]) ? { ...request, id: index } : request;
}

/** Tags of entries that are put in this conversation are not known before it. */
function withTags(request: unknown, { incarnation }: ModelBucket): unknown {
  const text = JSON.stringify(request).replaceAll(TAG_OF, `${incarnation}-1`);
  return JSON.parse(text) as unknown;
}

function encoded(group: readonly unknown[], index: number): string | Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(group);
  return index % 3 === 2 ? new TextEncoder().encode(text) : text;
}

function faultOf(
  got: readonly string[],
  groups: readonly (readonly unknown[])[],
  expected: readonly unknown[],
  tally: Tally,
): string | undefined {
  let at = 0;
  for (const [index, group] of groups.entries()) {
    const answers = JSON.parse(got[index] ?? "null") as unknown;
    const wanted = expected.slice(at, at + group.length);
    at += group.length;
    const wrong = differenceOf(wanted, answers, `answers[${index}]`);
    if (wrong !== undefined) return `${wrong}\n  to the message ${shown(group)}`;
    for (const answer of answers as object[])
      tally.count(kindOf(group, answer), "ok" in answer ? "ok" : codeOf(answer));
  }
  return undefined;
}

function kindOf(group: readonly unknown[], answer: object): string {
  const { id } = answer as { id: unknown };
  const request = group.find((one) => isObject(one) && one["id"] === id);
  if (!isObject(request)) return "nothing";
  return ["batch", "transaction", "list"].find((kind) => kind in request) ?? "nothing";
}

function codeOf(answer: object): string {
  const { error } = answer as { error?: { code?: string } };
  return error?.code ?? "nothing";
}
