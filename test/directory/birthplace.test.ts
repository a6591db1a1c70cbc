/** Where a bucket is placed: by its jurisdiction, by the hint that was given, or near the caller that creates it. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { birthplaceOf, type Place } from "../../src/directory/birthplace.ts";
import { hintOf } from "../../src/registry/bucket-options.ts";
import { births } from "../support/objects.ts";

const PLACES: readonly (readonly [string, Place, DurableObjectLocationHint | undefined])[] = [
  ["San Francisco", { continent: "NA", country: "US", longitude: "-122.41940" }, "wnam"],
  ["Denver", { continent: "NA", country: "US", longitude: "-104.99" }, "wnam"],
  ["Chicago", { continent: "NA", country: "US", longitude: "-87.63" }, "enam"],
  ["somewhere in North America", { continent: "NA" }, "enam"],
  ["São Paulo", { continent: "SA", country: "BR", longitude: "-46.63" }, "sam"],
  ["Lisbon", { continent: "EU", country: "PT", longitude: "-9.14" }, "weur"],
  ["Berlin", { continent: "EU", country: "DE", longitude: "13.4" }, "weur"],
  ["Warsaw", { continent: "EU", country: "PL", longitude: "21.0" }, "eeur"],
  ["somewhere in Europe", { continent: "EU", longitude: "" }, "weur"],
  ["Dubai", { continent: "AS", country: "AE", longitude: "55.3" }, "me"],
  ["Mumbai", { continent: "AS", country: "IN", longitude: "72.9" }, "apac"],
  ["somewhere in Asia", { continent: "AS" }, "apac"],
  ["Nairobi", { continent: "AF", country: "KE" }, "afr"],
  ["Auckland", { continent: "OC", country: "NZ" }, "oc"],
  ["Antarctica", { continent: "AN" }, undefined],
  ["Tor", { continent: "T1", country: "T1" }, undefined],
  ["nowhere", {}, undefined],
];

describe("a caller", () => {
  it.each(PLACES)("in %s", (_, place, hint) => {
    expect(birthplaceOf(place)).toBe(hint);
  });

  it("of whom nothing is said", () => {
    expect(birthplaceOf()).toBeUndefined();
    expect(birthplaceOf({ continent: 7, longitude: -122 })).toBeUndefined();
  });
});

describe("a bucket", () => {
  const placed = (jurisdiction: string | null, locationHint: string | null) =>
    hintOf({ jurisdiction, locationHint }, "apac").locationHint;

  it("is placed near its creator", () => {
    expect(placed(null, null)).toBe("apac");
    expect(hintOf({ jurisdiction: null, locationHint: null })).toEqual({});
  });

  it("is placed by the hint that was given, and within its jurisdiction", () => {
    expect(placed(null, "weur")).toBe("weur");
    expect(placed("eu", "eeur")).toBe("eeur");
    expect(placed("eu", null)).toBeUndefined();
  });

  it("whose hint is not known any more has none", () => {
    expect(placed(null, "?")).toBeUndefined();
  });

  const create = (name: string, place: Place, options: object = {}): Promise<Response> =>
    exports.default.fetch(`http://localhost/v1/buckets/${name}`, {
      method: "PUT",
      body: JSON.stringify(options),
      cf: place as Record<string, unknown>,
    });

  it("is born where the request came from that creates it, and no other request is compared with that", async () => {
    const created = await create("born", { continent: "AS", country: "JP" });
    expect([created.status, births.get("born")]).toEqual([201, "apac"]);
    expect(await created.json()).not.toHaveProperty("locationHint");
    births.delete("born");
    expect((await create("born", { continent: "SA" })).status).toBe(200);
    expect(births.has("born")).toBe(false);
  });

  it("is created with a hint of its creator's by a line of text, too", async () => {
    const response = await exports.default.fetch("http://localhost/v1/commands", {
      method: "POST",
      body: "CREATE born-by-text\n",
      cf: { continent: "OC" } as Record<string, unknown>,
    });
    expect([await response.text(), births.get("born-by-text")]).toEqual(["OK\r\n", "oc"]);
  });
});
