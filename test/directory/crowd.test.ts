/** Calls travel together in a crowd only: a few go each alone. */

import { describe, expect, it } from "vitest";
import { bucket, get, TIMEOUT_MS } from "../support/grouped-bucket.ts";

describe("calls to one bucket", () => {
  it("go alone as long as they are no crowd: the one that finds too many on their way leads a group", async () => {
    const { call, sent, keys, settled } = bucket({ crowd: 3 });
    const few = ["a", "b", "c"].map((key) => call(get(key)));
    expect(keys()).toEqual([["a"], ["b"], ["c"]]);
    sent[1]?.answer();
    await few[1];
    void call(get("d"));
    expect(keys()).toEqual([["a"], ["b"], ["c"], ["d"]]);
    for (const key of ["e", "f", "g"]) void call(get(key));
    // e leads; f and g wait for it.
    expect(keys().slice(4)).toEqual([["e"]]);
    sent[4]?.answer();
    await settled();
    expect(keys().slice(4)).toEqual([["e"], ["f", "g"]]);
  });

  it("go alone again a second after the last crowd, although a few have met since", async () => {
    const { call, sent, keys, time, settled } = bucket({ crowd: 2 });
    const answerAll = async (): Promise<void> => {
      for (const one of sent) one.answer();
      await settled();
    };
    for (const key of ["a", "b", "c", "d"]) void call(get(key));
    expect(keys()).toEqual([["a"], ["b"], ["c"]]);
    await answerAll();
    expect(keys().at(-1)).toEqual(["d"]);
    await answerAll();
    // Two that meet are no crowd, and do not make the time longer in which calls wait for each other.
    for (; time.now < 1_000; time.now += 500) {
      for (const key of ["e", "f"]) void call(get(key));
      await answerAll();
      expect(keys().at(-1)).toEqual(["f"]);
      await answerAll();
    }
    const before = sent.length;
    for (const key of ["g", "h"]) void call(get(key));
    expect(keys().slice(before)).toEqual([["g"], ["h"]]);
    await answerAll();
    // Three are one, and calls wait again.
    for (const key of ["i", "j", "k"]) void call(get(key));
    expect(keys().slice(before + 2)).toEqual([["i"], ["j"], ["k"]]);
    void call(get("l"));
    expect(keys().slice(before + 2)).toEqual([["i"], ["j"], ["k"]]);
  });

  it("are no crowd with calls whose requests were lost", async () => {
    const { call, keys, time } = bucket({ crowd: 2 });
    for (const key of ["lost", "lost, too"]) void call(get(key));
    time.now += TIMEOUT_MS;
    for (const key of ["a", "b"]) void call(get(key));
    expect(keys().slice(2)).toEqual([["a"], ["b"]]);
    void call(get("c"));
    void call(get("d"));
    expect(keys().slice(2)).toEqual([["a"], ["b"], ["c"]]);
  });
});
