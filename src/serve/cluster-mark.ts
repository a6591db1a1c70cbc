/** The file that marks a data folder as that of a node of a cluster: it holds copies, and the store has what counts. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "./run-program.ts";

export const CLUSTER_MARK = "cluster";

/** Refuses to serve a node's folder as that of a single server. @throws {StartupError} */
export function refuseNodeFolder(folder: string): void {
  if (!existsSync(join(folder, CLUSTER_MARK))) return;
  throw new StartupError(
    `The folder ${folder} is that of a node of a cluster: its data is in the store, and what is here may be old. Move the data with kv export --all and kv import --all, or choose another folder: --data DIR (cluster_data_folder)`,
  );
}
