/** The examples in the docstrings of what other Workers use, inside a Worker. */

import { env, exports } from "cloudflare:workers";
import * as binding from "doctests:binding";
import * as worker from "doctests:worker";
import type { KvNamespaceProps } from "../../src/binding/types.ts";
import embedded from "../../src/embed.ts";
import { kv } from "../support/binding.ts";
import { testExamples } from "../support/doctests.ts";

const namespaceOf = exports.KvNamespace as unknown as (options: {
  readonly props: KvNamespaceProps;
}) => KVNamespace;

testExamples("binding", binding, async (name) => {
  await kv.create(name);
  return { kv, bucket: kv.bucket(name) };
});
testExamples("worker", worker, async (bucket) => ({
  env: { ...env, KV: kv, CARTS: namespaceOf({ props: { bucket } }) },
  ctx: { exports },
  worker: embedded,
}));
