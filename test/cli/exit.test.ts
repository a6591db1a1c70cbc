/** Exit codes, and what is said on stderr. */

import { describe, expect, it } from "vitest";
import { kv } from "../e2e/support/cli.ts";
import { here } from "../e2e/support/kv-command.ts";

describe("an error message", () => {
  it.each([["put", "k", "1"], ["get", "k"], ["delete", "k"], ["incr", "k"], ["keys"], ["import"]])(
    "of kv %s for an unknown bucket names the command that creates it",
    async (verb, ...rest) => {
      const { code, err } = await kv(here, verb, "nowhere", ...rest);
      expect([code, err]).toEqual([
        1,
        "kv: There is no bucket nowhere. Create it: kv create nowhere (bucket_not_found)\n",
      ]);
    },
  );
});

describe("an invalid command line", () => {
  it.each([
    ["", []],
    ["an unknown command", ["frobnicate"]],
    ["an unknown option", ["keys", "b", "--frobnicate"]],
    ["too few arguments", ["get", "b"]],
    ["too many", ["get", "b", "k", "x"]],
    ["a number that is none", ["put", "b", "k", "v", "--ttl", "soon"]],
    ["a time that is none", ["put", "b", "k", "v", "--expires", "soon"]],
    ["two lifetimes", ["put", "b", "k", "v", "--ttl", "1", "--expires", "2100-01-01"]],
    ["metadata that is not JSON", ["put", "b", "k", "v", "--metadata", "{"]],
    ["a snapshot, and a change that is later", ["watch", "b", "--snapshot", "--since", "1"]],
    ["an etag that is none", ["put", "b", "k", "v", "--if-match", "x"]],
    ["an address that is none", ["buckets", "--url", "localhost:8787"]],
    ["a bucket and the whole service", ["export", "b", "--all", "x"]],
    ["a file that is not there", ["import", "b", "nowhere.ndjson"]],
    ["a shell that is none", ["completion", "tcsh"]],
  ])("%s: exit code 2, and nothing on stdout", async (_, args) => {
    const { code, out, err } = await kv(here, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/error: |Usage: kv/);
  });
});
