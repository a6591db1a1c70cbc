/** The objects of one bucket, in memory, with S3's conditional writes. */

import { createHash } from "node:crypto";

export interface Stored {
  readonly body: Buffer;
  /** With its quotes, as HTTP has it. */
  readonly etag: string;
  readonly at: Date;
}

/** What a write or a deletion asks for. An ETag, or `*`. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export interface Page {
  readonly keys: readonly string[];
  /** Common prefixes, up to and with the delimiter. */
  readonly folders: readonly string[];
  /** The last name of the page, if more follow. */
  readonly next: string | undefined;
}

export interface PageOptions {
  readonly prefix: string;
  readonly delimiter: string;
  /** Names after this one. */
  readonly after: string;
  readonly limit: number;
}

/** Names are ordered by their UTF-16 code units, which for the ASCII names of the tests is S3's order. */
const byName = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

export class Objects {
  readonly #objects = new Map<string, Stored>();
  #writes = 0;

  get size(): number {
    return this.#objects.size;
  }

  /** All keys, in order. */
  keys(prefix = ""): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).toSorted(byName);
  }

  /** The sum of all sizes, in bytes. */
  bytes(): number {
    return [...this.#objects.values()].reduce((sum, { body }) => sum + body.length, 0);
  }

  get(key: string): Stored | undefined {
    return this.#objects.get(key);
  }

  /** @returns undefined if a condition does not hold, and then nothing is changed */
  put(key: string, body: Buffer, conditions: Conditions): Stored | undefined {
    if (!this.#holds(key, conditions)) return undefined;
    this.#writes += 1;
    // Of this write, not of its content: an ETag that was read names one write and no other.
    const etag = `"${createHash("md5").update(body).update(String(this.#writes)).digest("hex")}"`;
    const stored = { body, etag, at: new Date() };
    this.#objects.set(key, stored);
    return stored;
  }

  /** @returns false if a condition does not hold */
  delete(key: string, conditions: Conditions): boolean {
    if (!this.#holds(key, conditions)) return false;
    this.#objects.delete(key);
    return true;
  }

  /** All objects as they are, as a store with versions can give them back. */
  moment(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#objects].map(([key, { body }]) => [key, body]));
  }

  /** Makes all objects as they were. They are new writes, as in a store with versions. */
  restore(moment: ReadonlyMap<string, Buffer>): void {
    this.#objects.clear();
    for (const [key, body] of moment) this.put(key, body, {});
  }

  page({ prefix, delimiter, after, limit }: PageOptions): Page {
    const folders = new Set<string>();
    const keys: string[] = [];
    let last: string | undefined;
    for (const key of this.keys(prefix)) {
      const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      const name = end < 0 ? key : key.slice(0, end + delimiter.length);
      if (name <= after || folders.has(name)) continue;
      if (keys.length + folders.size === limit) return { keys, folders: [...folders], next: last };
      if (end < 0) keys.push(key);
      else folders.add(name);
      last = name;
    }
    return { keys, folders: [...folders], next: undefined };
  }

  #holds(key: string, { ifMatch, ifNoneMatch }: Conditions): boolean {
    const etag = this.#objects.get(key)?.etag;
    if (ifMatch !== undefined && (etag === undefined || (ifMatch !== "*" && ifMatch !== etag))) return false;
    if (ifNoneMatch === undefined) return true;
    return ifNoneMatch === "*" ? etag === undefined : ifNoneMatch !== etag;
  }
}
