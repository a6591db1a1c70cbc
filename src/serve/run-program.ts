/** Runs a program to its exit code, and shows errors that the user can fix in one line. */

/** An error that the user can fix, such as a port in use. Shown without a stack; the exit code is 1. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

/** Runs `main`, and ends the process with its exit code, or with 1 after an error. */
export async function runProgram(main: () => Promise<number>): Promise<never> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(
      error instanceof StartupError ? `${error.message}\n` : `${(error as Error).stack}\n`,
    );
    process.exitCode = 1;
  }
  // Needed because open handles, such as the lock on the data folder, would keep the process alive.
  process.exit();
}
