/** The report of an import: counts, and the errors of its lines. */

import type { ImportResult } from "../contract/entries.ts";
import type { Restored } from "../model/restored.ts";
import type { Failure } from "../model/errors.ts";

/** The most errors that are listed; `failed` counts all of them. */
const MAX_ERRORS = 1_000;

export class ImportReport {
  /** The number of the last line that was read, which counts empty lines too. */
  lines = 0;
  failed = 0;
  readonly #counts = { imported: 0, unchanged: 0, expired: 0 };
  readonly errors: { readonly line: number; readonly code: string; readonly detail: string }[] = [];

  add(line: number, restored: Restored): void {
    if (typeof restored === "string") {
      this.#counts[restored] += 1;
      return;
    }
    this.failed += 1;
    const { code, detail }: Failure = restored;
    if (this.errors.length < MAX_ERRORS) this.errors.push({ line, code, detail });
  }

  summary(): ImportResult {
    return { lines: this.lines, ...this.#counts, failed: this.failed, errors: this.errors };
  }
}
