/** Asks buckets whether they live, in batches, and hands over the verdicts. */

import type { Registration } from "../model/registration.ts";
import type { BucketStub } from "../rpc/bucket-rpc.ts";
import type { SweepStats } from "../rpc/registry-rpc.ts";
import { call } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, formatReason, Refusal } from "../otp/exit.ts";
import { STORAGE_NEWER } from "../otp/migrations.ts";
import type { Settings } from "../config/settings.ts";
import { judge, recheckDelay, sweepDelay, type ProbeResult, type Verdict } from "./liveness.ts";
import type { Names } from "./names.ts";

export interface ProberOptions {
  readonly names: Names;
  readonly kv: DurableObjectStorage["kv"];
  readonly settings: Pick<Settings, "probeTimeoutMs" | "recheckMs" | "sweepBatch" | "sweepPeriodMs">;
  readonly clock: () => number;
  readonly bucket: (entry: Registration) => BucketStub;
  /** Does what follows. The name may have gone another way since the probe was sent. */
  readonly apply: (entry: Registration, verdict: Verdict) => void;
}

/** Where the sweep is. */
interface Sweep {
  /** The last name that was probed. */
  readonly after: string;
  /** How often in a row verdicts were held back. */
  readonly holds: number;
}

const SWEEP = "sweep";
/** Behind every name: names are printable ASCII. */
const LAST = "\x7f";
/** How often a batch that fails as a whole is tried again before the sweep goes on without verdicts on it. */
const MAX_HOLDS = 3;

export class Prober {
  readonly #options: ProberOptions;
  readonly #deadlines: Deadlines;
  #stats: SweepStats = { batches: 0, probes: 0, rowsWritten: 0 };

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.settings.probeTimeoutMs);
  }

  get stats(): SweepStats {
    return this.#stats;
  }

  /** Probes these together, and applies the verdicts. */
  async probe(entries: readonly Registration[]): Promise<Verdict[]> {
    const results = await Promise.all(entries.map((entry) => this.ask(entry)));
    const probed = results.map((result, at) => ({ result, attempts: entries[at]?.attempts ?? 0 }));
    const verdicts = judge(probed, this.#options.settings.recheckMs);
    entries.forEach((entry, at) => this.#options.apply(entry, verdicts[at] as Verdict));
    return verdicts;
  }

  /** Probes the next batch of the sweep. @returns the wait until the one after it, in milliseconds. */
  async sweep(): Promise<number> {
    const { names, kv, settings, clock } = this.#options;
    const { after, holds } = kv.get<Sweep>(SWEEP) ?? { after: "", holds: 0 };
    const batch = names.runningAfter(after, settings.sweepBatch);
    const before = names.rowsWritten;
    const verdicts = await this.probe(batch);
    const storm = verdicts.some(({ kind }) => kind === "held");
    if (storm && holds < MAX_HOLDS) {
      kv.put<Sweep>(SWEEP, { after, holds: holds + 1 });
      return recheckDelay(holds + 1, settings.recheckMs);
    }
    const last = batch.length < settings.sweepBatch ? LAST : (batch.at(-1)?.name ?? LAST);
    if (!storm) names.saveSweep(after, last, clock());
    kv.put<Sweep>(SWEEP, { after: last === LAST ? "" : last, holds: 0 });
    const { batches, probes, rowsWritten } = this.#stats;
    this.#stats = {
      batches: batches + 1,
      probes: probes + batch.length,
      rowsWritten: rowsWritten + names.rowsWritten - before,
    };
    return sweepDelay(names.size, settings.sweepBatch, settings.sweepPeriodMs);
  }

  /** Probes one, and leaves it to the caller what follows. */
  async ask(entry: Registration): Promise<ProbeResult> {
    try {
      const said = await call(() => this.#options.bucket(entry).probe(), { deadlines: this.#deadlines });
      return "ended" in said ? { kind: "gone", reason: said.ended } : { kind: "alive", totals: said };
    } catch (error) {
      if (error instanceof Refusal && error.code === STORAGE_NEWER)
        return { kind: "failed", reason: error.code };
      // It was restarted too often, and the registry knows why.
      if (!(error instanceof Exit)) return { kind: "failed", reason: undefined };
      if (error.reason === "noproc") return { kind: "gone", reason: "noproc" };
      if (error.reason === "restarting") return { kind: "alive", totals: undefined };
      return { kind: "failed", reason: formatReason(error.reason) };
    }
  }
}
