/** A reason not to serve that the person at the terminal can do something about. */

/** Shown as one line, without a stack; the exit code is 1. */
export class Stop extends Error {
  override readonly name = "Stop";
}

/** Runs a program to its end: its exit code, or what stopped it. */
export async function runProgram(main: () => Promise<number>): Promise<never> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(error instanceof Stop ? `${error.message}\n` : `${(error as Error).stack}\n`);
    process.exitCode = 1;
  }
  // What is open still, as the lock on a data folder is, would keep the process: what is over is over.
  process.exit();
}
