/** What runs in Deno: `PUT /{key}` and `GET /{key}` of a Deno KV, in the file that the argument names. */

export interface DenoKv {
  get(key: readonly string[]): Promise<{ readonly value: string | null }>;
  set(key: readonly string[], value: string): Promise<unknown>;
}

declare const Deno: {
  readonly args: readonly string[];
  openKv(path: string | undefined): Promise<DenoKv>;
  serve(
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly onListen: (address: { readonly port: number }) => void;
    },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
};

const kv = await Deno.openKv(Deno.args[0]);

Deno.serve(
  // The port is what startDenoKv reads from the output.
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  async (request) => {
    const key = [request.url.slice(request.url.lastIndexOf("/") + 1)];
    if (request.method === "PUT") {
      await kv.set(key, await request.text());
      return new Response(null, { status: 204 });
    }
    const { value } = await kv.get(key);
    return new Response(value, { status: value === null ? 404 : 200 });
  },
);
