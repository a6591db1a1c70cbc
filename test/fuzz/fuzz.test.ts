/** A small run of each fuzzer; `npm run fuzz` goes on for as long as it is told to. */

import { describe, expect, inject, it } from "vitest";
import { server } from "../e2e/support/shared-server.ts";
import { httpFuzzer } from "./http.ts";
import { sessionFuzzer } from "./session.ts";
import { failureOf, Tally, type Fuzzer } from "./support/fuzzer.ts";
import { textFuzzer } from "./text.ts";

describe("the service", () => {
  it.each<[string, string, Fuzzer]>([
    ["requests made from its description", "http", httpFuzzer],
    ["lines of the text protocol, over each transport and cut anywhere", "text", textFuzzer],
    ["messages of a session, of one request or many", "session", sessionFuzzer],
  ])("answers random %s as its model does", async (_, name, fuzzer) => {
    const tally = new Tally();
    const prepared = await fuzzer(server, `fuzz-test-${name}`, tally);
    const failure = await failureOf(prepared, { seed: inject("seed"), runs: inject("sizes").fuzzed });
    prepared.close();
    expect(failure).toBeUndefined();
    expect(tally.total).toBeGreaterThan(0);
  });
});
