import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";

const ask = (method: string, path: string): Promise<Response> =>
  exports.default.fetch(new Request(`http://starter${path}`, { method }));

it("counts what is put on a list, at once for everybody", async () => {
  await Promise.all(Array.from({ length: 10 }, () => ask("PUT", "/groceries/milk")));
  expect(await (await ask("GET", "/groceries")).json()).toEqual({ milk: 10 });
});

it("has an empty list until something is put on it", async () => {
  expect(await (await ask("GET", "/nothing-yet")).json()).toEqual({});
});
