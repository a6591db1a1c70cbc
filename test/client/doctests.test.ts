/** The examples in the docstrings of the client, and of the stores that stand on it. */

import { Keyv } from "keyv";
import { createStorage } from "unstorage";
import { expect, it } from "vitest";
import * as z from "zod/mini";
import manifest from "../../package.json" with { type: "json" };
import * as betterAuth from "doctests:better-auth";
import * as client from "doctests:client";
import * as keyv from "doctests:keyv";
import * as unstorage from "doctests:unstorage";
import { Kv, text } from "../../src/client/index.ts";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { ENTRY_POINTS } from "../e2e/support/doctests/plugin.ts";
import { server } from "../e2e/support/shared-server.ts";
import { testExamples } from "../support/doctests.ts";

const url = server.http;
const kv = new Kv({ url });

testExamples("client", client, async (name) => {
  await kv.create(name);
  return { url, kv, bucket: kv.bucket(name), z };
});
testExamples("keyv", keyv, async (bucket) => ({ url, store: new KeyvDurableKv({ kv, bucket }), Keyv }));
testExamples("unstorage", unstorage, async () => ({ url, createStorage }));
testExamples("better-auth", betterAuth, async () => ({ kv, text }));

it("knows each entry point of the package", () => {
  // "." is the client under another name, and the worker's types lead to those of the binding.
  const published = Object.entries(manifest.exports).flatMap(([name, files]) =>
    typeof files === "string" || name === "." ? [] : [[name.slice(2), sourceOf(files.types)]],
  );
  const known = Object.entries(ENTRY_POINTS).map(([name, { types }]) => [name, types]);
  expect(Object.fromEntries(known)).toEqual(Object.fromEntries(published));
});

function sourceOf(types: string): string {
  const source = types.replace(/^.\/dist\/(.*).d.ts$/, "src/$1.ts");
  return source === "src/worker/index.ts" ? "src/binding/worker.ts" : source;
}
