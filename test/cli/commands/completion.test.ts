/** `kv completion`, and what the shells' scripts ask. */

import { describe, expect, it } from "vitest";
import { KV } from "../../e2e/support/cli.ts";
import { bucket, ok, started } from "../../e2e/support/kv-command.ts";

describe("kv completion", () => {
  const proposed = async (...words: readonly string[]): Promise<string> =>
    (await ok("__complete", "--", ...words)).out;

  it("knows commands, flags, choices, bucket names and keys", async () => {
    await bucket("basket", { milk: 1, mint: 2, eggs: 3 });
    expect(await proposed("mo")).toBe("monitor\n");
    expect(await proposed("put", "--exp")).toBe("--expires\n");
    expect(await proposed("keys", "b", "--js")).toBe("--json\n");
    expect(await proposed("create", "--restart", "")).toBe("permanent\ntemporary\n");
    expect(await proposed("completion", "")).toBe("bash\nzsh\nfish\n");
    expect(await proposed("get", "bask")).toBe("basket\n");
    expect(await proposed("get", "--timeout", "5", "basket", "mi")).toBe("milk\nmint\n");
    expect(await proposed("get", "basket", "milk", "")).toBe("");
  });

  it("proposes names that look like options only behind --", async () => {
    await bucket("dashes-2", { "-x": 1, plain: 2 });
    expect(await proposed("get", "dashes-2", "")).toBe("plain\n");
    expect(await proposed("get", "dashes-2", "-")).not.toContain("-x\n");
    expect(await proposed("get", "dashes-2", "--", "")).toBe("-x\nplain\n");
    expect(await proposed("get", "--", "dashes-2", "-")).toBe("-x\n");
  });

  it("proposes nothing, and says nothing, where the service is not there", async () => {
    expect(await proposed("get", "--url", "http://127.0.0.1:9", "")).toBe("");
  });

  /** What bash proposes behind a line. */
  const inBash = async (line: string): Promise<string> => {
    const script = `kv() { ${KV.join(" ")} "$@"; }
      source <(kv completion bash)
      COMP_LINE=$1 COMP_POINT=\${#1} _kv_complete
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { out, err } = await started(["bash", "-c", script, "bash", line]);
    expect(err).toBe("");
    return out;
  };

  it("works in bash", async () => {
    await bucket("bash", { "two words": 1, "user:1": 1, "user:2": 1 });
    expect(await inBash("kv exp")).toBe("export\n");
    expect(await inBash("kv get bash tw")).toBe("two\\ words\n");
    // bash takes a colon for the end of a word.
    expect(await inBash("kv get bash user:")).toBe("1\n2\n");
    expect(await inBash("kv get bash ")).toBe("two\\ words\nuser:1\nuser:2\n");
  });

  it.each(["bash", "zsh", "fish"])("has a script for %s that asks the command", async (shell) => {
    const { out } = await ok("completion", shell);
    expect(out).toContain(" __complete -- ");
    expect(out).not.toContain("\\$");
  });
});
