/** Lists of keys and deletions of ranges over HTTP. */

import { describe, expect, it } from "vitest";
import { kv, refusal } from "../support/binding.ts";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

interface Keys {
  readonly keys: readonly { readonly key: string; readonly [member: string]: unknown }[];
  readonly cursor?: string;
}

const names = ({ keys }: Keys): string[] => keys.map(({ key }) => key);
const list = async (b: string, query = ""): Promise<Keys> => jsonOf<Keys>(await ask(`${b}/keys${query}`));

async function filled(name: string): Promise<string> {
  const b = await bucket(name);
  await post(
    `${b}/batch`,
    ["a", "b/1", "b/2", "b/3", "c", "é"].map((key) => ({ op: "put", key, value: key })),
  );
  return b;
}

describe("a list whose bucket ends between two pages", () => {
  it("does not continue in the next bucket of the name: over HTTP, a binding and a namespace", async () => {
    const name = "listed-anew";
    const fill = async (): Promise<void> => {
      await ask(name, { method: "PUT" });
      for (const key of ["a", "b", "c"]) await put(`${name}/keys/${key}`);
    };
    await fill();
    const { cursor = "" } = await jsonOf<{ cursor?: string }>(await ask(`${name}/keys?limit=1`));
    const behindA = await jsonOf<{ keys: unknown[] }>(await ask(`${name}/keys?limit=1&cursor=${cursor}`));
    expect(behindA.keys).toMatchObject([{ key: "b" }]);
    await ask(name, { method: "DELETE" });
    expect(await codeOf(await ask(`${name}/keys?cursor=${cursor}`))).toBe("bucket_not_found");
    await fill();
    const changed = await ask(`${name}/keys?cursor=${cursor}`);
    expect([changed.status, await codeOf(changed)]).toEqual([409, "bucket_changed"]);
    for (const goOn of [
      () => kv.bucket(name).list({ cursor }),
      () => kv.namespace(name).list({ cursor }),
    ] as (() => Promise<unknown>)[]) {
      expect((await refusal(goOn)).message).toMatch(/^bucket_changed: /);
    }
    // A cursor of the version before says no bucket.
    const before = cursor.slice(cursor.indexOf(".") + 1);
    expect((await jsonOf<{ keys: unknown[] }>(await ask(`${name}/keys?cursor=${before}`))).keys).toHaveLength(
      2,
    );
    expect(await codeOf(await ask(`${name}/keys?cursor=.`))).toBe("cursor_invalid");
  });
});

describe("a list of keys", () => {
  it("is in order, by prefix, by range, forwards and backwards", async () => {
    const b = await filled("lists");
    expect(names(await list(b))).toEqual(["a", "b/1", "b/2", "b/3", "c", "é"]);
    expect(names(await list(b, "?prefix=b/"))).toEqual(["b/1", "b/2", "b/3"]);
    expect(names(await list(b, "?start=b/2&end=c"))).toEqual(["b/2", "b/3"]);
    expect(names(await list(b, "?prefix=b/&reverse=true"))).toEqual(["b/3", "b/2", "b/1"]);
    expect(names(await list(b, "?start=b/2&reverse=true"))).toEqual(["é", "c", "b/3", "b/2"]);
    expect(names(await list(b, "?prefix=nothing"))).toEqual([]);
  });

  it("goes page by page, in both directions", async () => {
    const b = await filled("list pages");
    for (const [query, expected] of [
      ["?limit=2", ["a", "b/1", "b/2", "b/3", "c", "é"]],
      ["?limit=2&reverse=true", ["é", "c", "b/3", "b/2", "b/1", "a"]],
      ["?limit=2&prefix=b/", ["b/1", "b/2", "b/3"]],
    ] as const) {
      const seen: string[] = [];
      let page = await list(b, query);
      for (;;) {
        seen.push(...names(page));
        if (page.cursor === undefined) break;
        page = await list(b, `${query}&cursor=${page.cursor}`);
      }
      expect(seen).toEqual(expected);
    }
  });

  it("has each value's properties, and the values on request", async () => {
    const b = await bucket("list entries");
    const stored = await put(`${b}/keys/a?ttl=60&metadata={"x":1}`, "text", { "Content-Type": "text/x" });
    await put(`${b}/keys/b`, new Uint8Array([255]));
    const etag = stored.headers.get("ETag")?.replaceAll('"', "");
    const bare = await list(b);
    expect(bare.keys[0]).toEqual({
      key: "a",
      revision: 1,
      etag,
      type: "text/x",
      size: 4,
      modified: expect.any(String) as string,
      expires: expect.any(String) as string,
      metadata: { x: 1 },
    });
    expect((await list(b, "?values=true")).keys).toMatchObject([
      { key: "a", value: "text" },
      { key: "b", base64: "/w==", type: "application/octet-stream" },
    ]);
  });

  it("reports what is wrong with its query", async () => {
    const b = await bucket("list wrong");
    for (const [query, code] of [
      ["?limit=0", "query_invalid"],
      ["?limit=1001", "query_invalid"],
      ["?limit=x", "query_invalid"],
      ["?reverse=yes", "query_invalid"],
      ["?cursor=%21", "cursor_invalid"],
      ["?cursor=", "cursor_invalid"],
      ["?prefx=a", "query_invalid"],
    ] as const) {
      expect([query, await codeOf(await ask(`${b}/keys${query}`))]).toEqual([query, code]);
    }
    expect(await codeOf(await ask("list-nowhere/keys"))).toBe("bucket_not_found");
    expect((await ask(`${b}/keys`, { method: "PUT" })).headers.get("Allow")).toBe("HEAD, GET, DELETE");
  });
});

describe("deleting many keys", () => {
  const remove = (b: string, query: string): Promise<Response> =>
    ask(`${b}/keys${query}`, { method: "DELETE" });

  it("takes those of a prefix or a range, and says how many they were", async () => {
    const b = await filled("delete many");
    expect(await jsonOf(await remove(b, "?prefix=b/"))).toEqual({ deleted: 3 });
    expect(names(await list(b))).toEqual(["a", "c", "é"]);
    expect(await jsonOf(await remove(b, "?start=c"))).toEqual({ deleted: 2 });
    expect(await jsonOf(await remove(b, "?prefix="))).toEqual({ deleted: 1 });
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 0, bytes: 0, revision: 12 });
  });

  it("takes as many as there are", async () => {
    const b = await bucket("delete thousands");
    for (let part = 0; part < 3; part += 1) {
      await post(
        `${b}/batch`,
        Array.from({ length: 900 }, (_, n) => ({ op: "put", key: `${part}/${n}`, value: "" })),
      );
    }
    expect(await jsonOf(await remove(b, "?prefix="))).toEqual({ deleted: 2_700 });
  });

  it("requires a prefix or a range", async () => {
    const b = await filled("delete all by mistake");
    for (const query of ["", "?"]) expect(await codeOf(await remove(b, query))).toBe("query_invalid");
    expect(names(await list(b))).toHaveLength(6);
  });
});

describe("a call that takes no query", () => {
  it("is refused with one, and does nothing", async () => {
    const b = await bucket("no query");
    for (const [path, init] of [
      [`${b}/batch?atomic=true`, { method: "POST", body: '[{"op":"put","key":"a","value":"1"}]' }],
      [`${b}/transaction?x=1`, { method: "POST", body: "{}" }],
      [`${b}?restart=temporary`, { method: "PUT" }],
      [`${b}?force=1`, { method: "DELETE" }],
      [`${b}/exit?reason=x`, { method: "POST", body: '{"reason":"x"}' }],
    ] as const) {
      expect([path, await codeOf(await ask(path, init))]).toEqual([path, "query_invalid"]);
    }
    expect(names(await list(b))).toEqual([]);
  });
});
