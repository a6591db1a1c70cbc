/** The chart of a workload: an SVG with bars by case and contestant. The whiskers are the slowest and the fastest round. */

import type { Outcome } from "../tournament.ts";
import { spreadOf, type Spread } from "./figures.ts";

const PLOT = { left: 72, top: 64, height: 260 };
const BAR = { width: 34, gap: 8 };
const GROUP_GAP = 44;
const LEGEND_LINE = 20;
const RIGHT = 24;
const LEAST_WIDTH = 480;
/** About this many lines across. */
const TICKS = 5;

/** About the pixels of a letter, in the case's name and in the legend. */
const LETTER = 7.5;

/** Fills on a light and on a dark page. The first one is ours. */
const FILLS = [
  { light: "#1f5fd6", dark: "#6ea2ff" },
  { light: "#8a94a6", dark: "#8d97a8" },
  { light: "#c08a2d", dark: "#d9a74a" },
  { light: "#b7b08f", dark: "#a39c7d" },
  { light: "#b4533c", dark: "#e08a72" },
  { light: "#3d8b5f", dark: "#68bd8f" },
  { light: "#7a56b3", dark: "#b093e3" },
];

/** Who has the same fill in all charts. Others have the one of their place. */
const FILL_OF: Readonly<Record<string, number>> = {
  "touches nothing": 3,
  "etcd over HTTP": 4,
  "Deno KV over HTTP": 5,
  Redis: 6,
};

interface Bar {
  readonly contestant: string;
  readonly rate: Spread | undefined;
}

export function chart(outcome: Outcome): string {
  const names = [...new Set(outcome.cases.flatMap(({ entries }) => entries.map((each) => each.contestant)))];
  const groups = outcome.cases.map(({ name, entries }) => ({
    name,
    bars: entries.map((each): Bar => ({ contestant: each.contestant, rate: spreadOf(each, "rate") })),
  }));
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ rate }) => rate?.max ?? 0)));
  const step = roundStep(most / TICKS);
  const top = Math.ceil(most / step) * step;
  const y = (value: number): number => PLOT.top + PLOT.height * (1 - value / top);

  let left = PLOT.left + GROUP_GAP / 2;
  const drawn = groups.map(({ name, bars }) => {
    const width = bars.length * (BAR.width + BAR.gap) - BAR.gap;
    const slot = Math.max(width, name.length * LETTER);
    const middle = left + slot / 2;
    const parts = bars.map((bar, at) =>
      drawBar(bar, fillOf(bar.contestant, names), middle - width / 2 + at * (BAR.width + BAR.gap), y),
    );
    left += slot + GROUP_GAP;
    return [...parts, text(name, middle, y(0) + 20, "case")].join("\n");
  });
  const right = Math.max(left - GROUP_GAP / 2, LEAST_WIDTH);
  const width = right + RIGHT;
  const legend = drawLegend(names, y(0) + 48, right);
  const height = legend.bottom + 8;

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(`${outcome.name}, ${outcome.unit}`)}">
<style>
${STYLE}
</style>
<rect class="page" width="${width}" height="${height}" rx="8"/>
${text(outcome.name, 20, 28, "title")}
${text(`${outcome.unit}: median of the rounds, and the slowest and the fastest`, 20, 47, "units")}
${ticks(top, step)
  .map((value) => drawTick(value, y(value), right))
  .join("\n")}
${drawn.join("\n")}
${legend.svg}
</svg>
`;
}

const STYLE = `text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg { --page: #ffffff; --ink: #1c2330; --soft: #5b6575; --line: #dfe3ea; }
.page { fill: var(--page); }
.title { font-size: 16px; font-weight: 600; }
.units, .tick { fill: var(--soft); }
.tick { text-anchor: end; }
.case { text-anchor: middle; font-weight: 600; }
.value { text-anchor: middle; font-size: 10px; }
.line { stroke: var(--line); }
.whisker { stroke: var(--ink); stroke-width: 1.25; fill: none; }
${FILLS.map(({ light }, at) => `.c${at} { fill: ${light}; }`).join("\n")}
@media (prefers-color-scheme: dark) {
svg { --page: #12161d; --ink: #e6eaf1; --soft: #9aa5b5; --line: #2a313c; }
${FILLS.map(({ dark }, at) => `.c${at} { fill: ${dark}; }`).join("\n")}
}`;

function drawBar({ contestant, rate }: Bar, fill: number, x: number, y: (value: number) => number): string {
  const middle = x + BAR.width / 2;
  if (rate === undefined) return text("failed", middle, y(0) - 5, "value");
  const top = y(rate.median);
  const [low, high] = [y(rate.min), y(rate.max)];
  const label = `${contestant}: ${short(rate.median)}, from ${short(rate.min)} to ${short(rate.max)}`;
  return [
    `<rect class="c${fill}" x="${round(x)}" y="${round(top)}" width="${BAR.width}" height="${round(y(0) - top)}"><title>${escape(label)}</title></rect>`,
    `<path class="whisker" d="M${round(middle - 5)} ${round(high)}h10m-5 0V${round(low)}m-5 0h10"/>`,
    text(short(rate.median), middle, Math.min(top, high) - 5, "value"),
  ].join("\n");
}

function drawTick(value: number, y: number, right: number): string {
  return `<path class="line" d="M${PLOT.left} ${round(y)}H${round(right)}"/>
${text(short(value), PLOT.left - 8, y + 4, "tick")}`;
}

function fillOf(contestant: string, names: readonly string[]): number {
  return FILL_OF[contestant] ?? names.indexOf(contestant) % FILLS.length;
}

/** As many names in a line as have room. */
function drawLegend(
  names: readonly string[],
  top: number,
  right: number,
): { readonly svg: string; readonly bottom: number } {
  let x = 20;
  let y = top;
  const parts = names.map((name) => {
    const width = 18 + name.length * LETTER + 16;
    if (x > 20 && x + width > right) {
      x = 20;
      y += LEGEND_LINE;
    }
    const part = `<rect class="c${fillOf(name, names)}" x="${round(x)}" y="${round(y - 10)}" width="12" height="12" rx="2"/>
${text(name, x + 18, y, "name")}`;
    x += width;
    return part;
  });
  return { svg: parts.join("\n"), bottom: y + LEGEND_LINE - 4 };
}

function text(content: string, x: number, y: number, name: string): string {
  return `<text class="${name}" x="${round(x)}" y="${round(y)}">${escape(content)}</text>`;
}

/** 1, 2 or 5 times a power of ten, and at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? least;
}

function ticks(top: number, step: number): number[] {
  return Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step);
}

/** Three digits are what the rounds can tell: 1,430 is 1.43k. */
function short(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
