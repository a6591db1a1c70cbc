/** When to end: a signal, or the loss of the shell that npm runs us in. */

/** Between two looks at our parent, in milliseconds. */
const LOOK_EVERY_MS = 200;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long the same order may come more than once, in milliseconds: to us, and from npm, which passes its own on. */
const ECHO_MS = 2_000;
/** Exit code of a program that was told to end a second time (128 and SIGINT's number, as shells have it). */
const IMPATIENT = 130;

export interface EndingOptions {
  /**
   * Process id of the shell that started this process, as the shell itself wrote it (`--parent $$`). Undefined
   * watches for signals only.
   */
  readonly parent: number | undefined;
}

/**
 * Watches for the order to end, from now on. Call it before anything is started, so that an order that comes
 * while the server starts is not missed.
 *
 * npm runs a script in a shell and passes signals on to that, and most shells die of them without a word to
 * their child. Then our parent is another process than the one that wrote its id on our command line, and that
 * also holds if it died before we came to look.
 *
 * @returns a signal that is aborted once. A signal that comes two seconds later, or more, ends the process at once.
 */
export function watchForEnd({ parent }: EndingOptions): AbortSignal {
  const ending = new AbortController();
  let since: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      since ??= performance.now();
      if (performance.now() - since > ECHO_MS) process.exit(IMPATIENT);
      ending.abort();
    });
  }
  if (parent !== undefined && parent !== process.pid) {
    const look = (): void => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      ending.abort();
    };
    const watch = setInterval(look, LOOK_EVERY_MS);
    watch.unref();
    look();
  }
  return ending.signal;
}

/** Resolves when the signal is aborted, also if it has been already. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
