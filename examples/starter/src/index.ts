/** Lists that people share: each list is a bucket, made by its first item. */

import { kvBinding } from "durable-kv/worker";

// The objects that keep the buckets, and the entrypoint that kvBinding uses.
export { Bucket, KvEntrypoint, Registry } from "durable-kv/worker";

export default {
  async fetch(request, _env, ctx): Promise<Response> {
    const [, name, item] = new URL(request.url).pathname.split("/");
    if (!name) return new Response("PUT /groceries/milk, then GET /groceries\n");
    if (!/^[a-z0-9-]{1,64}$/.test(name)) return new Response("A list is a-z, 0-9 and -\n", { status: 400 });
    using list = kvBinding(ctx).bucket(`list-${name}`, { create: true });
    if (request.method === "PUT" && item) {
      const { value } = await list.increment(decodeURIComponent(item));
      return Response.json({ item, count: value });
    }
    const { keys } = await list.list({ values: true });
    return Response.json(Object.fromEntries(keys.map(({ key, value }) => [key, Number(value)])));
  },
} satisfies ExportedHandler;
