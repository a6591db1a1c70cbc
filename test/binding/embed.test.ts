/** The service in a Worker that embeds it, and what that Worker may have forgotten. */

import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/config/env.ts";
import { settingsOf } from "../../src/config/settings.ts";
import { kvBinding } from "../../src/embed.ts";

describe("kvBinding", () => {
  it("is the service of this Worker", async () => {
    const kv = kvBinding({ exports });
    using bucket = kv.bucket("embedded", { create: true });
    await bucket.put("a", "1");
    expect(await bucket.get("a")).toBe("1");
  });

  it("says what to export, where KvEntrypoint is missing", () => {
    expect(() => kvBinding({ exports: {} })).toThrow("export { Bucket, KvEntrypoint, Registry } from");
  });

  it.each([[undefined], [{}], [{ exports: undefined }]])(
    "says what it takes, and which compatibility date, where there are no exports: %j",
    (context) => {
      expect(() => kvBinding(context as never)).toThrow("compatibility_date of 2025-11-17");
    },
  );
});

describe("a Worker that has forgotten to bind an object", () => {
  it.each(["REGISTRY", "BUCKET"])("is told to bind %s", (name) => {
    const bound = env as unknown as Env;
    const forgotten = { ...bound, [name]: undefined } as unknown as Env;
    expect(() => settingsOf(forgotten)).toThrow(`no binding ${name}. Add { name = "${name}", class_name = `);
  });
});
