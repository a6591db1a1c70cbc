/** `npm start`. */

import { serveOptions, USAGE } from "./options.ts";
import { address, serve } from "./serve.ts";
import { Stop } from "./stop.ts";

async function main(): Promise<number> {
  const options = serveOptions(process.argv.slice(2), process.env["KV_TOKEN"] || undefined);
  if (options === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const engine = await serve(options, process.env);
  const { host, data } = options;
  const http = `http://${address(host, engine.ports.http)}`;
  const tcp = `tcp://${address(host, Number(engine.ports.tcp))}`;
  process.stdout.write(banner(http, host, Number(engine.ports.tcp), data));
  process.stdout.write(`Ready on ${http}\nReady on ${tcp}\n`);

  const signalled = new Promise<"signal">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => resolve("signal"));
    whenShellIsGone(() => resolve("signal"));
  });
  const outcome = await Promise.race([signalled, engine.ended]);
  if (outcome === "signal") {
    await engine.stop();
    return 0;
  }
  process.stderr.write(`The engine ended by itself (code ${outcome}).\n`);
  return 1;
}

/**
 * npm runs a script in a shell and passes signals to that, and most shells die of them without a word to
 * their child: then our parent is another one.
 */
function whenShellIsGone(tell: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    tell();
  }, 200);
}

function banner(http: string, host: string, tcpPort: number, data: string | undefined): string {
  return `
  Durable KV    ${http}    ${data === undefined ? "kept in memory only" : `data in ${data}`}

  Type in:      nc ${host} ${tcpPort}
                CREATE shopping
                PUT shopping milk 1
                GET shopping milk

  or:           curl -X PUT ${http}/v1/buckets/shopping
                curl -X PUT ${http}/v1/buckets/shopping/keys/milk -d 1
                curl ${http}/v1/buckets/shopping/keys/milk

`;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(error instanceof Stop ? `${error.message}\n` : `${(error as Error).stack}\n`);
  process.exitCode = 1;
}
// The lock on the data folder is open still, and would keep the process: what is over is over.
process.exit();
