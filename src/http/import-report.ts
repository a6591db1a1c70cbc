/** What became of the lines of an import. */

import type { ImportResult } from "../contract/entries.ts";
import type { Restored } from "../model/restored.ts";
import type { Failure } from "../model/errors.ts";

/** Errors that are told of; `failed` counts all of them. */
const MAX_ERRORS = 1_000;

export class ImportReport {
  /** Lines that were read to their end, up to the last one that was looked at. */
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
