/** Compares one partition with a million names with one with a thousand. */

import { statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { isWholeResponse, rawClient } from "../load/client.ts";
import { measure, median, type Load } from "../load/measure.ts";
import { startOurs, temporaryFolder, type Server } from "../servers.ts";
import { partitionsOf } from "./files.ts";

const FEW = 1_000;
const MANY = 1_000_000;
const ROUNDS = 5;
const ROUND_MS = 1_500;
const VARS = { KV_PARTITIONS: "1", KV_SWEEP_PERIOD_MS: "0" };
/** Smallest ratio of the rates, many names to few, that passes. */
const TARGET = 0.8;

const nameAt = (at: number): string => `bucket-${String(at).padStart(7, "0")}`;
let created = 0;

export async function millionNames(): Promise<{
  readonly table: Record<string, Record<string, string>>;
  readonly bytesPerName: number;
}> {
  const folders = [await temporaryFolder(), await temporaryFolder()] as const;
  try {
    await seed(folders[0], FEW);
    const bytesPerName = await seed(folders[1], MANY);
    const few = await startOurs({ data: folders[0], vars: VARS });
    const many = await startOurs({ data: folders[1], vars: VARS });
    const table: Record<string, Record<string, string>> = {};
    for (const [what, load] of Object.entries(loads)) {
      table[what] = await compare(
        () => load(few, FEW),
        () => load(many, MANY),
      );
    }
    await few.stop();
    await many.stop();
    return { table, bytesPerName };
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

const loads: Readonly<Record<string, (server: Server, names: number) => Load>> = {
  "lookup, 32 connections": (server, names) =>
    http(
      server,
      32,
      () => `POST /v1/commands`,
      () => `LOOKUP ${nameAt(random(names))}`,
    ),
  "create, 8 connections": (server) =>
    http(
      server,
      8,
      () => `PUT /v1/buckets/new-${(created += 1)}`,
      () => "",
    ),
  "page of 1,000, 4 connections": (server, names) =>
    http(
      server,
      4,
      () =>
        `GET /v1/buckets?prefix=bucket-&limit=1000&cursor=${cursor(nameAt(random(Math.max(1, names - FEW))))}`,
      () => "",
    ),
};

function http(server: Server, connections: number, target: () => string, body: () => string): Load {
  const request = (): string => {
    const text = body();
    return `${target()} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  };
  return { batch: 1, connections, connect: () => rawClient(server.http, request, isWholeResponse) };
}

async function compare(few: () => Load, many: () => Load): Promise<Record<string, string>> {
  const rates = { few: [] as number[], many: [] as number[] };
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? (["few", "many"] as const) : (["many", "few"] as const);
    for (const side of order) {
      rates[side].push((await measure(side === "few" ? few() : many(), ROUND_MS)).rate);
    }
    ratios.push(Number(rates.many.at(-1)) / Number(rates.few.at(-1)));
  }
  const ratio = median(ratios);
  return {
    [`${FEW} names/s`]: median(rates.few).toFixed(0),
    [`${MANY} names/s`]: median(rates.many).toFixed(0),
    ratio: ratio.toFixed(2),
    target: `${TARGET.toFixed(2)} ${ratio >= TARGET ? "met" : "MISSED"}`,
  };
}

/**
 * Fills a partition's file without a server. No bucket is started, so all names refer to the object of one real bucket.
 * @returns bytes on disk per name
 */
async function seed(data: string, names: number): Promise<number> {
  const server = await startOurs({ data, vars: VARS });
  await fetch(`http://127.0.0.1:${server.http}/v1/buckets/real`, { method: "PUT" });
  await server.stop();
  const [path] = partitionsOf(data);
  if (path === undefined) throw new Error("no partition in the data folder");
  const before = statSync(path).size;
  const database = new DatabaseSync(path);
  database.exec("BEGIN");
  const { id, created_at: createdAt } = database.prepare("SELECT id, created_at FROM names").get() as {
    id: string;
    created_at: number;
  };
  const insert = database.prepare(
    "INSERT INTO names (name, incarnation, id, state, restart, created_at) VALUES (?, ?, ?, 'running', 'permanent', ?)",
  );
  for (let at = 0; at < names; at += 1) {
    insert.run(nameAt(at), at.toString(16).padStart(16, "0"), id, createdAt);
  }
  database.exec("COMMIT");
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return (statSync(path).size - before) / names;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function cursor(name: string): string {
  return Buffer.from(name).toString("base64url");
}
