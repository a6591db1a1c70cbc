/** The HTTP API against its description and a model: sequences of requests, each answer checked. */

import fc from "fast-check";
import { drafts, filled, type Draft } from "./generate/requests.ts";
import { faultOf } from "./model/expected.ts";
import { HttpModel } from "./model/http.ts";
import { apiOf, type Api } from "./support/api.ts";
import type { Fuzzer, Tally } from "./support/fuzzer.ts";
import { RawClient, shownAnswer, shownRequest, type Got, type Sent } from "./support/raw-http.ts";
import { understand } from "./model/request.ts";

/** Requests in one sequence, at most. */
const MAX_REQUESTS = 30;
/** How often it is looked whether a respond-async write has been done. */
const MAX_LOOKS = 500;
const BUCKETS = 2;
const BEGINNING = [
  { op: "put", key: "k", value: "41" },
  { op: "put", key: "milk", base64: "AP8=", type: "image/png", metadata: { n: 1 }, ttl: 3_600 },
];

export const httpFuzzer: Fuzzer = async ({ http }, namespace, tally) => {
  const api = await apiOf(http);
  const client = new RawClient(http);
  let runs = 0;
  return {
    property: fc.asyncProperty(
      fc.array(drafts(api), { minLength: 1, maxLength: MAX_REQUESTS, size: "max" }),
      async (sequence) => {
        runs += 1;
        const run = new Run(api, client, `${namespace}-${runs}-`, tally);
        try {
          await run.begin();
          for (const draft of sequence) await run.send(draft);
        } finally {
          await run.end();
        }
      },
    ),
    close: () => client.close(),
  };
};

class Run {
  readonly #api: Api;
  readonly #client: RawClient;
  readonly #namespace: string;
  readonly #model: HttpModel;
  readonly #tally: Tally;
  readonly #story: string[] = [];

  constructor(api: Api, client: RawClient, namespace: string, tally: Tally) {
    this.#api = api;
    this.#client = client;
    this.#namespace = namespace;
    this.#model = new HttpModel(api, namespace);
    this.#tally = tally;
  }

  /** Of two buckets one is there, and has something in it. */
  async begin(): Promise<void> {
    const path = `/v1/buckets/${this.#name(0)}`;
    await this.#ask({ method: "PUT", path, headers: {}, body: undefined });
    const body = Buffer.from(JSON.stringify(BEGINNING));
    await this.#ask({ method: "POST", path: `${path}/batch`, headers: {}, body });
  }

  async send(draft: Draft): Promise<void> {
    const bucket = this.#model.buckets.get(this.#name(draft.path.includes("<bucket 1>") ? 1 : 0));
    const tagOf = (key: string): string => {
      const entry = bucket?.entries.get(key);
      return entry === undefined ? "none-1" : `${bucket?.incarnation}-${entry.revision}`;
    };
    await this.#ask(filled(draft, (index) => this.#name(index), tagOf));
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    for (let index = 0; index < BUCKETS; index += 1) {
      const path = `/v1/buckets/${this.#name(index)}`;
      await this.#client
        .send({ method: "DELETE", path, headers: {}, body: undefined })
        .catch(() => undefined);
    }
  }

  async #ask(given: Sent): Promise<void> {
    const { request, expected } = this.#model.plan(given);
    const got = await this.#answerTo(request);
    const { operation } = understand(this.#api, request);
    this.#tally.count(operation?.id ?? "nowhere", String(got.status));
    const fault = faultOf(this.#api, request, expected, got);
    if (fault !== undefined) throw this.#failure(fault);
    const { settled } = expected;
    const last = settled === undefined ? got : await this.#settle(settled);
    expected.learn?.(last);
  }

  async #answerTo(request: Sent): Promise<Got> {
    this.#story.push(shownRequest(request));
    try {
      const got = await this.#client.send(request);
      this.#story.push(`  → ${shownAnswer(got)}`);
      return got;
    } catch (error) {
      throw this.#failure(`no answer: ${String(error)}`);
    }
  }

  async #settle({
    request,
    status,
    revision,
  }: {
    request: Sent;
    status: number;
    revision?: number;
  }): Promise<Got> {
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const got = await this.#client.send(request);
      if (got.status === status && (revision === undefined || revisionOf(got) === revision)) return got;
    }
    throw this.#failure(
      `a respond-async write was not done: ${request.path} does not become ${status}, revision ${revision}`,
    );
  }

  #failure(fault: string): Error {
    return new Error([fault, ...this.#story].join("\n"));
  }

  #name(index: number): string {
    return `${this.#namespace}${"ab"[index]}`;
  }
}

function revisionOf({ body }: Got): number {
  return (JSON.parse(String(body)) as { revision: number }).revision;
}
