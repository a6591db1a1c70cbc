/**
 * The prober: probes buckets in batches and applies the verdicts (liveness.ts).
 *
 * The sweep probes all running buckets in the order of their names, one batch with each alarm:
 * 1. Its position, the last probed name, is in the storage, so the sweep continues after a restart.
 * 2. It probes the next batch. In a storm it keeps its position and probes the same batch again after a growing wait, at
 *    most {@link MAX_HOLDS} times; then it continues without a verdict on the failed ones.
 * 3. Without a storm it stores the time once for the whole batch. Unchanged buckets cost no write.
 * 4. It moves its position, or starts again after the last name, and waits so that a round takes one period.
 */

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

/** The tables, the settings, and the calls of the prober. */
export interface ProberOptions {
  readonly names: Names;
  readonly kv: DurableObjectStorage["kv"];
  readonly settings: Pick<Settings, "probeTimeoutMs" | "recheckMs" | "sweepBatch" | "sweepPeriodMs">;
  readonly clock: () => number;
  readonly bucket: (entry: Registration) => BucketStub;
  /** Applies a verdict. The name may have changed since the probe was sent. */
  readonly apply: (entry: Registration, verdict: Verdict) => void;
}

/** The position of the sweep. */
interface Sweep {
  /** The last name that was probed. */
  readonly after: string;
  /** How many times in a row the batch was a storm. */
  readonly holds: number;
}

const SWEEP = "sweep";
/** Greater than every name, because names are printable ASCII. */
const LAST = "\x7f";
/** How many times a batch that is a storm is probed again before the sweep continues without its verdicts. */
const MAX_HOLDS = 3;

/** The prober of one partition. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #deadlines: Deadlines;
  /** Running probes that callers asked for, by name. */
  readonly #suspicions = new Map<string, Promise<void>>();
  #stats: SweepStats = { batches: 0, probes: 0, rowsWritten: 0 };

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.settings.probeTimeoutMs);
  }

  /** What the sweep has done since the object was woken. */
  get stats(): SweepStats {
    return this.#stats;
  }

  /** Probes these buckets together and applies the verdicts. */
  async probe(entries: readonly Registration[]): Promise<Verdict[]> {
    const results = await Promise.all(entries.map((entry) => this.#ask(entry)));
    const probed = results.map((result, at) => ({ result, attempts: entries[at]?.attempts ?? 0 }));
    const verdicts = judge(probed);
    entries.forEach((entry, at) => this.#options.apply(entry, verdicts[at] as Verdict));
    return verdicts;
  }

  /** Probes the next batch of the sweep. @returns the wait before the following batch, in milliseconds */
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

  /** Probes a bucket that a caller suspects, and applies the verdict. All callers that suspect it share one probe. */
  async suspect(entry: Registration): Promise<void> {
    const { name } = entry;
    const probing = this.#suspicions.get(name) ?? this.#look(entry);
    this.#suspicions.set(name, probing);
    await probing.finally(() => this.#suspicions.delete(name));
  }

  async #look(entry: Registration): Promise<void> {
    const result = await this.#ask(entry);
    // A bucket that is suspect already has its next probe scheduled. Callers must not add to its failures.
    if (result.kind === "failed" && entry.state !== "running") return;
    const [verdict] = judge([{ result, attempts: entry.attempts }]);
    if (verdict !== undefined) this.#options.apply(entry, verdict);
  }

  async #ask(entry: Registration): Promise<ProbeResult> {
    try {
      const said = await call(() => this.#options.bucket(entry).probe(), { deadlines: this.#deadlines });
      return "ended" in said ? { kind: "gone", reason: said.ended } : { kind: "alive", totals: said };
    } catch (error) {
      if (error instanceof Refusal && error.code === STORAGE_NEWER)
        return { kind: "failed", reason: error.code };
      // Not an exit: the bucket was restarted too often, and the registry has the reason already.
      if (!(error instanceof Exit)) return { kind: "failed", reason: undefined };
      if (error.reason === "noproc") return { kind: "gone", reason: "noproc" };
      if (error.reason === "restarting") return { kind: "alive", totals: undefined };
      return { kind: "failed", reason: formatReason(error.reason) };
    }
  }
}
