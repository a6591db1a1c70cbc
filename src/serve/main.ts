/** The program of `npm start`. */

import { aborted, watchForShutdown } from "./shutdown.ts";
import { serveOptions, USAGE } from "./options.ts";
import { address, serve } from "./serve.ts";
import { runProgram } from "./run-program.ts";

async function main(): Promise<number> {
  const options = serveOptions(process.argv.slice(2), process.env["KV_TOKEN"] || undefined);
  if (options === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  // Before anything is started, so that no signal is missed.
  const shutdown = watchForShutdown({ parent: options.parent });
  try {
    const service = await serve(options, process.env, shutdown);
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

await runProgram(main);
