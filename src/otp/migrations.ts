/** Numbered migrations: data of an older version is brought to the format that this version of the code knows. */

import { Refusal } from "./exit.ts";

/** What a step works on. It is synchronous, so that one transaction holds all steps and the new version. */
export type Migrated = Pick<DurableObjectStorage, "sql" | "kv">;

/** Brings data from one version of its format to the next. */
export type Migration = (storage: Migrated) => void;

/**
 * All steps of one format, in order. The version of data is the number of steps that were applied to it, so the first
 * step leads to version 1. A step that was released is never changed or removed, and it names tables and columns as
 * they were then: the code around it moves on.
 */
export interface Migrations {
  readonly steps: readonly Migration[];
  /** Detects the version of data from before versions were stored. Default 0. */
  readonly unmarked?: (storage: Migrated) => number;
}

/** The version of each format in a storage, by the format's name. */
type Marks = Readonly<Record<string, number>>;

/** Where the versions are kept: one key for all formats, so that an object that wakes reads one. */
const VERSIONS = "otp:versions";

/** The code of the refusal where data is newer than the code. */
export const STORAGE_NEWER = "storage_newer";

/**
 * The versions of the formats in one storage. A storage without any key was never used: it has no version, and nothing
 * is written to it until {@link mark} is called with its first data.
 */
export class Versions {
  readonly #storage: Migrated & Pick<DurableObjectStorage, "transactionSync">;
  readonly #formats: Readonly<Record<string, Migrations>>;
  /** As they were when the object woke, and after each migration; undefined if there are none. */
  #marks: Marks | undefined;

  constructor(
    storage: Migrated & Pick<DurableObjectStorage, "transactionSync">,
    formats: Readonly<Record<string, Migrations>>,
  ) {
    this.#storage = storage;
    this.#formats = formats;
    this.#marks = storage.kv.get<Marks>(VERSIONS);
  }

  /** The refusal of all calls where some data is of a version that is not known here; undefined if none is. */
  newer(): Refusal | undefined {
    for (const [format, version] of Object.entries(this.#marks ?? {})) {
      const known = this.#formats[format]?.steps.length;
      if (known === undefined || version > known) return storageNewer(format, version, known);
    }
    return undefined;
  }

  /** Runs the missing steps of one format and stores the new version, in one transaction. */
  migrate(format: string): void {
    const { steps, unmarked } = this.#of(format);
    if (this.#marks?.[format] === steps.length) return;
    if (this.#marks === undefined && isUnused(this.#storage)) return;
    const marks = { ...this.#marks, [format]: steps.length };
    this.#storage.transactionSync(() => {
      const version = this.#marks?.[format] ?? unmarked?.(this.#storage) ?? 0;
      for (const step of steps.slice(version)) step(this.#storage);
      this.#storage.kv.put<Marks>(VERSIONS, marks);
    });
    this.#marks = marks;
  }

  /** Stores the current version of these formats, and no other. Call it in the transaction that creates their data. */
  mark(...formats: readonly string[]): void {
    const marks = Object.fromEntries(formats.map((format) => [format, this.#of(format).steps.length]));
    this.#storage.kv.put<Marks>(VERSIONS, marks);
  }

  #of(format: string): Migrations {
    return this.#formats[format] as Migrations;
  }
}

function isUnused({ kv }: Migrated): boolean {
  return [...kv.list({ limit: 1 })].length === 0;
}

function storageNewer(format: string, version: number, known: number | undefined): Refusal {
  const knows = known === undefined ? "does not know this format" : `knows versions up to ${known}`;
  return new Refusal(
    STORAGE_NEWER,
    `A newer version of the service has written this data (format ${format}, version ${version}; this code ${knows}). ` +
      "Nothing was read or changed. Deploy the newer version again.",
  );
}
