/** Serves until the end: `npm start` in a checkout, `durable-kv serve` from the package. */

import { serveOptions, usage } from "./options.ts";
import { address, serve } from "./serve.ts";
import { aborted, watchForShutdown } from "./shutdown.ts";
import type { LocalWorker } from "./worker-config.ts";

export interface ServeCommand {
  /** How the user calls it, as in `npm start --`, for its help. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The Worker to run. */
  readonly worker: () => LocalWorker;
  /** Process id of npm's shell or of npx: when it ends, the server ends. Undefined: only signals end the server. */
  readonly parent?: number | undefined;
}

/** @returns the exit code @throws {StartupError} that the user can fix */
export async function serveCommand({ name, args, env, worker, parent }: ServeCommand): Promise<number> {
  const options = serveOptions(args, env["KV_TOKEN"] || undefined, name);
  if (options === "help") {
    process.stdout.write(usage(name));
    return 0;
  }
  // Before anything is started, so that no signal is missed.
  const shutdown = watchForShutdown({ parent: options.parent ?? parent });
  try {
    const service = await serve(worker(), options, env, shutdown);
    const { host, data } = options;
    const http = `http://${address(host, service.ports.http)}`;
    const tcp = service.ports.tcp === undefined ? undefined : `tcp://${address(host, service.ports.tcp)}`;
    process.stdout.write(banner(http, host, service.ports.tcp, data));
    process.stdout.write(`Ready on ${http}\n`);
    if (tcp !== undefined) process.stdout.write(`Ready on ${tcp}\n`);
    await aborted(shutdown);
    await service.stop();
    return 0;
  } catch (error) {
    // Shut down during the start: everything that was started has ended.
    if (shutdown.aborted) return 0;
    throw error;
  }
}

function banner(http: string, host: string, tcpPort: number | undefined, data: string | undefined): string {
  const text =
    tcpPort === undefined
      ? ""
      : `
  Type in:      nc ${host} ${tcpPort}
                CREATE shopping
                PUT shopping milk 1
                GET shopping milk
`;
  return `
  Durable KV    ${http}    ${data === undefined ? "kept in memory only" : `data in ${data}`}
${text}
  ${tcpPort === undefined ? "Try:" : "or: "}          curl -X PUT ${http}/v1/buckets/shopping
                curl -X PUT ${http}/v1/buckets/shopping/keys/milk -d 1
                curl ${http}/v1/buckets/shopping/keys/milk

`;
}
