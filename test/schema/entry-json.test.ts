/** An entry as JSON. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryJson, entryText } from "../../src/schema/entry-json.ts";
import type { Value } from "../../src/model/value.ts";
import { anyText } from "../support/any-text.ts";

const text = anyText();

describe("an entry of a page", () => {
  it("is written as JSON writes it", () => {
    fc.assert(
      fc.property(
        fc.record({
          key: text,
          revision: fc.nat(),
          type: fc.option(text),
          size: fc.nat(),
          at: fc.constantFrom(0, 1_700_000_000_000),
          expires: fc.option(fc.nat()),
          metadata: fc.option(fc.jsonValue().map((value) => JSON.stringify(value))),
          large: fc.constant(null),
        }),
        fc.option(
          fc.oneof(
            text,
            fc.uint8Array().map((bytes): Value => bytes.slice().buffer),
          ),
          { nil: undefined },
        ),
        (info, value) => {
          expect(entryText("cafe", info.key, info, value)).toBe(
            JSON.stringify(entryJson("cafe", info.key, info, value)),
          );
        },
      ),
    );
  });
});
