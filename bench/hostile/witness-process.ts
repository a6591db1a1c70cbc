/** The child process of witness.ts. */

import { sampleMemory } from "./memory.ts";
import { Neighbour } from "./neighbour.ts";
import type { Observed, Phase, Watched } from "./witness.ts";

const { http, token, processes } = JSON.parse(process.argv[2] ?? "") as Watched;
const neighbour = new Neighbour(http, token);
const memory = sampleMemory(processes);
const started = performance.now();
const running = neighbour.run();
let attacked = started;

process.on("message", (phase: Phase) => {
  if (phase === "attack") attacked = performance.now();
  else void finish();
});
// The harness has ended.
process.on("disconnect", () => process.exit());

async function finish(): Promise<void> {
  const finished = performance.now();
  neighbour.stop();
  await running;
  const observed: Observed = {
    alone: neighbour.service(started, attacked),
    during: neighbour.service(attacked, finished),
    memory: memory(),
    ms: finished - attacked,
  };
  process.send?.(observed);
}
