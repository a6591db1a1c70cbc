/**
 * Invariant 2, one. A name has at most one living bucket. Callers that create it at the same time get the same one. A
 * bucket that is created again is empty.
 */

import { describe, expect, it } from "vitest";
import { ask, isolate } from "../support/directories.ts";

const { directory } = isolate();

describe("invariant 2: one", () => {
  it("many callers that create a bucket at once agree on one", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => isolate().directory.create("contended")));
    expect(new Set(all.map(({ registration }) => registration.id)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
  });

  it("creates and stops of one name at once leave one bucket or none", async () => {
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        index % 3 === 2 ? directory.stop("churned") : directory.create("churned"),
      ),
    );
    expect(results).toHaveLength(30);
    const found = await directory.lookup("churned");
    const reached = await ask(directory, "churned", (bucket) => bucket.totals());
    expect(reached === undefined).toBe(found === undefined);
  });

  it("a bucket that takes a freed name is another one, and empty", async () => {
    const first = await directory.create("again");
    await ask(directory, "again", (bucket) => bucket.put("milk", "1"));
    await directory.stop("again");
    const second = await directory.create("again");
    expect(second.created).toBe(true);
    expect(second.registration.id).not.toBe(first.registration.id);
    expect(second.registration.incarnation).not.toBe(first.registration.incarnation);
    expect(await ask(directory, "again", (bucket) => bucket.get("milk", {}))).toEqual({ outcome: "absent" });
  });
});
