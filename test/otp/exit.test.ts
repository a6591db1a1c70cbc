/** Exit reasons, and what an exception of a stub means. */

import { describe, expect, it } from "vitest";
import { classifyStubError, Exit, formatReason } from "../../src/otp/exit.ts";

const stubError = (marks: object): Error => Object.assign(new Error("made up"), marks);

describe("an exception from a stub", () => {
  it.each([
    ["overloaded", { overloaded: true, retryable: true, remote: true }, "noconnection", true],
    ["retryable", { retryable: true }, "noconnection", false],
    ["reset, although it is remote too", { durableObjectReset: true, remote: true }, "noconnection", false],
    ["without any mark", {}, "noconnection", false],
  ] as const)("that is %s is the connection's", (_, marks, reason, overloaded) => {
    expect(classifyStubError(stubError(marks))).toMatchObject({ reason, overloaded });
  });

  it("that is remote is the process's own crash", () => {
    expect(classifyStubError(stubError({ remote: true })).reason).toEqual({ crash: "made up" });
  });

  it("need not be an Error", () => {
    expect(classifyStubError("a string").reason).toBe("noconnection");
    expect(classifyStubError(null).reason).toBe("noconnection");
  });
});

describe("an exit", () => {
  it("says its reason in words", () => {
    expect(new Exit("timeout").message).toBe("timeout");
    expect(formatReason({ crash: "out of cheese" })).toBe("crash: out of cheese");
  });
});
