/** Detects when to shut down: on a signal, or when npm's shell has died. */

/** Milliseconds between two checks of the parent process. */
const CHECK_EVERY_MS = 200;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Milliseconds in which a repeated signal is ignored: Ctrl-C reaches us directly and again through npm. */
const ECHO_MS = 2_000;
/** Exit code after a second signal: 128 plus SIGINT's number, as in shells. */
const FORCED_EXIT = 130;

export interface ShutdownOptions {
  /**
   * Process id of the shell that started this process, as the shell itself wrote it (`--parent $$`). Undefined to watch
   * for signals only.
   */
  readonly parent: number | undefined;
}

/**
 * Watches for the end from now on. Call it before starting anything, so that a signal during the start is not missed.
 *
 * npm runs a script in a shell and sends signals to that shell, and most shells die of them without signalling their
 * child. Then our parent process is no longer the shell that wrote its id on our command line. This also holds if it
 * died before the first check.
 *
 * @returns a signal that is aborted on the first event. A second one, more than two seconds later, ends the process.
 */
export function watchForShutdown({ parent }: ShutdownOptions): AbortSignal {
  const shutdown = new AbortController();
  let since: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      since ??= performance.now();
      if (performance.now() - since > ECHO_MS) process.exit(FORCED_EXIT);
      shutdown.abort();
    });
  }
  if (parent !== undefined && parent !== process.pid) {
    const check = (): void => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      shutdown.abort();
    };
    const watch = setInterval(check, CHECK_EVERY_MS);
    watch.unref();
    check();
  }
  return shutdown.signal;
}

/** Resolves when the signal is aborted, or at once if it already is. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
