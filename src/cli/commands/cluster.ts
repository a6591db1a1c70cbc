/** `durable-kv cluster`: nodes that share an S3 bucket, from the package. */

import type { Command } from "commander";
import { withExamples } from "../help.ts";
import { processOf } from "../process.ts";

export function addCluster(kv: Command): void {
  const command = kv
    .command("cluster")
    .description("start nodes of a cluster, or show or drain them (cluster --help lists the options)")
    .helpOption(false)
    .allowUnknownOption()
    .argument("[options...]")
    .action(async (args: readonly string[]) => {
      const { env } = processOf(command);
      // Loaded only here: no other command needs it.
      const [{ clusterCommand }, { prebuilt }, { runProgram }] = await Promise.all([
        import("../../serve/cluster/command.ts"),
        import("../../serve/prebuilt.ts"),
        import("../../serve/run-program.ts"),
      ]);
      await runProgram(() =>
        clusterCommand({
          name: "durable-kv cluster",
          args,
          env,
          worker: prebuilt,
          // npx dies of a signal without passing it on to us, so its end is ours.
          parent: env["npm_command"] === "exec" ? process.ppid : undefined,
          version: kv.version() ?? "",
        }),
      );
    });
  withExamples(command, {
    "durable-kv cluster --bucket s3://kv/main --peer 10.0.0.5:7000": "",
    "durable-kv cluster status": "nodes, and who owns how many buckets",
    "durable-kv cluster drain": "hand all buckets of this machine's node over, and stop it",
  });
}
