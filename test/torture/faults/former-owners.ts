/** Whether the store took records of an owner that another had replaced: those must not have been acknowledged. */

import type { S3Server } from "../../e2e/support/s3/server.ts";

interface Owners {
  readonly epoch: number;
  /** Folders of the log that this epoch has written to, and those of the epochs before. */
  readonly present: Set<string>;
  readonly former: Set<string>;
}

const OWNER = /^(.*\/v1\/do\/[^/]+\/[0-9a-f]{64})\/own\.json$/;
const RECORD = /^(.*\/v1\/do\/[^/]+\/[0-9a-f]{64})\/log\/([^/]+)\//;

/**
 * The engine writes each record of an object's log without a condition, below a folder of its epoch of ownership, and
 * acknowledges it only when it has found that it is still the owner.
 */
export class FormerOwners {
  readonly #s3: S3Server;
  readonly #objects = new Map<string, Owners>();
  /** Records that were taken late. */
  late = 0;

  constructor(s3: S3Server) {
    this.#s3 = s3;
    s3.watch(({ kind, key, status }) => {
      if (kind === "put" && status === 200) this.#put(key);
    });
  }

  #put(key: string): void {
    const [, claimed] = OWNER.exec(key) ?? [];
    if (claimed !== undefined) return this.#claim(claimed, key);
    const [, object = "", folder = ""] = RECORD.exec(key) ?? [];
    const owners = this.#objects.get(object);
    if (owners?.former.has(folder) === true) this.late += 1;
    else owners?.present.add(folder);
  }

  #claim(object: string, key: string): void {
    const { epoch } = JSON.parse(this.#s3.objects.get(key)?.body.toString() ?? "{}") as {
      readonly epoch?: number;
    };
    const before = this.#objects.get(object);
    if (epoch === undefined || epoch === before?.epoch) return;
    const former = new Set([...(before?.former ?? []), ...(before?.present ?? [])]);
    this.#objects.set(object, { epoch, present: new Set(), former });
  }
}
