/** Figures of the registry, as JSON and as Prometheus metrics. Wakes no bucket. */

import type { Context } from "./context.ts";

interface Figures {
  readonly partitions: number;
  readonly names: number;
  /** The number of names in each state. */
  readonly states: Readonly<Record<string, number>>;
  /** Counters of the sweep, since each partition last woke. */
  readonly sweep: Readonly<Record<string, number>>;
}

/** `GET /v1/registry`: the figures as JSON. */
export async function describeRegistry(_request: Request, context: Context): Promise<Response> {
  return Response.json(await figures(context));
}

/** `GET /metrics`: the same figures for Prometheus. */
export async function listMetrics(_request: Request, context: Context): Promise<Response> {
  const { partitions, states, sweep } = await figures(context);
  const text = [
    metric("partitions", "gauge", "Registry partitions.", [["", partitions]]),
    metric(
      "buckets",
      "gauge",
      "Names in each state.",
      Object.entries(states).map(([state, count]) => [`{state="${state}"}`, count]),
    ),
    ...Object.entries(sweep).map(([name, count]) =>
      metric(
        `sweep_${snakeCase(name)}_total`,
        "counter",
        "Of the sweep, since the partitions were last woken.",
        [["", count]],
      ),
    ),
  ].join("");
  return new Response(text, { headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" } });
}

async function figures({ directory, settings }: Context): Promise<Figures> {
  const all = await directory.stats();
  const states = sum(all.map((stats) => stats.states));
  return {
    partitions: settings.partitions,
    names: Object.values(states).reduce((total, count) => total + count, 0),
    states,
    sweep: sum(all.map(({ sweep }) => ({ ...sweep }))),
  };
}

/** Adds up counts by name. */
function sum(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const count of counts) {
    for (const [name, number] of Object.entries(count)) total[name] = (total[name] ?? 0) + number;
  }
  return total;
}

/** One metric in Prometheus' text format, version 0.0.4. */
function metric(
  name: string,
  type: "gauge" | "counter",
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  const full = `durable_kv_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${labels} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
