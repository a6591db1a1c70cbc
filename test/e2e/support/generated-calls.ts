/** The same calls in the words of each generated client, as source: there is nothing to import before it is generated. */

/** Exports `put` and `results`. @param url where the service is */
export function callsOf(client: "hey" | "orval" | "fetch", url: string): string {
  return `${CALLS[client].replaceAll("URL", JSON.stringify(url))}\n${CHECKED}`;
}

const CALLS = {
  hey: `
    import * as kv from "./hey";
    import { client } from "./hey/client.gen";
    client.setConfig({ baseUrl: URL });
    const throwOnError = true as const;
    export const put = (bucket: string, key: string, body: string | Blob, type?: string) =>
      kv.putKey({ path: { bucket, key }, body, throwOnError, ...(type && { headers: { "Content-Type": type } }) });
    export async function results(bucket: string, lines: string) {
      const path = { bucket };
      return {
        created: (await kv.createBucket({ path, throwOnError })).data,
        incremented: (await kv.incrementKey({ path: { ...path, key: "n" }, throwOnError })).data,
        transaction: (await kv.runTransaction({ path, body: { then: [{ op: "get", key: "n" }] }, throwOnError })).data,
        batch: (await kv.runBatch({ path, body: [{ op: "put", key: "p", json: [1] }], throwOnError })).data,
        imported: (await kv.importBucket({ path, body: lines, throwOnError })).data,
        keys: (await kv.listKeys({ path, query: { values: true }, throwOnError })).data,
        failed: (await kv.getKey({ path: { ...path, key: "none" } })).error,
        // @ts-expect-error there is no such operation
        misused: () => kv.runBatch({ path, body: [{ op: "puts", key: "p" }], throwOnError }),
      };
    }`,
  orval: `
    import * as kv from "./orval";
    export const put = (bucket: string, key: string, body: string | Blob, type?: string) =>
      kv.putKey(bucket, key, body, {}, {}, type === undefined ? {} : { headers: { "Content-Type": type } });
    export async function results(bucket: string, lines: string) {
      return {
        created: (await kv.createBucket(bucket)).data,
        incremented: (await kv.incrementKey(bucket, "n")).data,
        transaction: (await kv.runTransaction(bucket, { then: [{ op: "get", key: "n" }] })).data,
        batch: (await kv.runBatch(bucket, [{ op: "put", key: "p", json: [1] }])).data,
        imported: (await kv.importBucket(bucket, lines)).data,
        keys: (await kv.listKeys(bucket, { values: true })).data,
        failed: await kv.getKey(bucket, "none").then(() => null, ({ info }: { info: kv.Problem }) => info),
        // @ts-expect-error there is no such operation
        misused: () => kv.runBatch(bucket, [{ op: "puts", key: "p" }]),
      };
    }`,
  fetch: `
    import createClient from "openapi-fetch";
    import type { paths } from "./openapi";
    const bodySerializer = (body: unknown) =>
      typeof body === "string" || body instanceof Blob ? body : JSON.stringify(body);
    const kv = createClient<paths>({ baseUrl: URL, bodySerializer });
    const B = "/v1/buckets/{bucket}";
    const K = "/v1/buckets/{bucket}/keys/{key}";
    export const put = (bucket: string, key: string, body: string | Blob, type?: string) =>
      kv.PUT(K, {
        params: { path: { bucket, key } },
        body: body as string,
        ...(type && { headers: { "Content-Type": type } }),
      });
    export async function results(bucket: string, lines: string) {
      const path = { bucket };
      const params = { path };
      return {
        created: (await kv.PUT(B, { params })).data,
        incremented: (await kv.POST(\`\${K}/increment\`, { params: { path: { ...path, key: "n" } } })).data,
        transaction: (await kv.POST(\`\${B}/transaction\`, { params, body: { then: [{ op: "get", key: "n" }] } })).data,
        batch: (await kv.POST(\`\${B}/batch\`, { params, body: [{ op: "put", key: "p", json: [1] }] })).data,
        imported: (await kv.POST(\`\${B}/import\`, { params, body: lines })).data,
        keys: (await kv.GET(\`\${B}/keys\`, { params: { path, query: { values: true } } })).data,
        failed: (await kv.GET(K, { params: { path: { ...path, key: "none" } } })).error,
        // @ts-expect-error there is no such operation
        misused: () => kv.POST(\`\${B}/batch\`, { params, body: [{ op: "puts", key: "p" }] }),
      };
    }`,
};

/** What holds for the types of every client's results. An error that is expected and does not come is one, too. */
const CHECKED = `
  type Some<T> = { [Name in keyof T]: NonNullable<T[Name]> };
  type Results = Some<Awaited<ReturnType<typeof results>>>;
  export function uses({ created, incremented, transaction, batch, imported, keys, failed }: Results): unknown[] {
    const name: string = created.name;
    const restart: "permanent" | "temporary" = created.restart;
    const value: number | string = incremented.value;
    const isNew: boolean = incremented.created;
    const succeeded: boolean = transaction.succeeded;
    const texts = transaction.results.map((one) => (one.op === "get" && one.found ? one.value : undefined));
    const text: string | undefined = texts[0];
    const codes = batch.results.map((one) => ("error" in one ? one.error.code : one.key));
    const lines: number = imported.lines;
    const etags: string[] = keys.keys.map(({ etag }) => etag);
    const code: string = failed.code;
    return [name, restart, value, isNew, succeeded, text, codes, lines, etags, code];
  }
  export function misuses({ created, incremented, transaction, batch, imported, keys, failed }: Results): unknown[] {
    return [
      // @ts-expect-error
      created.nome,
      // @ts-expect-error
      created.name satisfies number,
      // @ts-expect-error
      incremented.values,
      // @ts-expect-error
      incremented.value satisfies boolean,
      // @ts-expect-error
      transaction.success,
      // @ts-expect-error
      transaction.succeeded satisfies string,
      // @ts-expect-error
      transaction.results[0]?.opp,
      // @ts-expect-error
      batch.result,
      // @ts-expect-error
      imported.line,
      // @ts-expect-error
      keys.keys[0]?.tag,
      // @ts-expect-error
      failed.code satisfies number,
    ];
  }
`;
