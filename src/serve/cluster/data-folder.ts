/** The folder in which a node keeps its copies of the objects that it owns. What counts is in the store. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLUSTER_MARK } from "../cluster-mark.ts";
import { ownFolder } from "../serve.ts";
import { ClusterError } from "./errors.ts";

export interface NodeFolder {
  readonly path: string;
  /** A descriptor for the engine; see `lockFolder`. */
  readonly lock: number | undefined;
  /**
   * Marks the folder as that of this cluster: just before an engine writes to it, and not before the store was found to be
   * good. A store that was named by mistake must not keep the folder from the right one.
   */
  mark(): void;
}

/**
 * Locks the folder of a node, and creates it if it does not exist.
 * @param store the store's URL
 * @throws {ClusterError} if the folder has the data of a single server, or of another cluster
 */
export async function nodeFolder(data: string, number: number, store: string): Promise<NodeFolder> {
  refuseSingleServer(data);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const path = join(data, `node-${number}`);
  const mark = join(path, CLUSTER_MARK);
  const found = existsSync(mark) ? readFileSync(mark, "utf8").trim() : undefined;
  if (found === undefined) refuseSingleServer(path);
  // One without a word is of a disk that was full, or a machine that lost its power.
  else if (found !== "") refuseOther(path, found, store);
  const lock = await ownFolder(path);
  return { path, lock, mark: () => writeMark(mark, store) };
}

/** Writes the mark whole or not at all. */
function writeMark(mark: string, store: string): void {
  if (existsSync(mark) && readFileSync(mark, "utf8").trim() === store) return;
  writeFileSync(`${mark}.new`, `${store}\n`, { mode: 0o600, flush: true });
  renameSync(`${mark}.new`, mark);
}

function refuseSingleServer(folder: string): void {
  if (!existsSync(folder)) return;
  const objects = readdirSync(folder).some((name) => name.startsWith("durable-kv-"));
  if (!objects || existsSync(join(folder, CLUSTER_MARK))) return;
  throw new ClusterError(
    "cluster_data_of_single_server",
    `The folder ${folder} has the data of a single server, which a cluster can't take as it is. Start the cluster with another folder (--data DIR), and move the data: with the single server running, kv export --all FOLDER; then, with KV_URL naming a node, kv import --all FOLDER.`,
  );
}

function refuseOther(folder: string, found: string, store: string): void {
  if (found === store) return;
  throw new ClusterError(
    "cluster_data_of_other_cluster",
    `The folder ${folder} belongs to the cluster of ${found}, and not to that of ${store}. Choose another folder: --data DIR. Or delete it, if no node runs in it: a node's folder has copies only.`,
  );
}
