/**
 * The minimal counterpart of calls with many keys, counters and large values. As in worker.ts, there are no conditions,
 * revisions, change log or checks of the input.
 */

interface Put {
  readonly key: string;
  readonly value: string;
}

interface Transaction {
  readonly key: string;
  readonly equals: string;
  readonly puts: readonly Put[];
}

const CHUNK_BYTES = 1_048_576;

export class Values {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Tables in addition to the entries, which worker.ts has. */
  createTable(): void {
    this.#storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS chunks (key TEXT, n INTEGER, bytes BLOB, PRIMARY KEY (key, n)) WITHOUT ROWID",
    );
  }

  /** `/values/{what}/{key}` */
  async serve(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, , what, key = ""] = pathname.split("/");
    switch (what) {
      case "batch":
        return this.#batch(await request.json<Put[]>());
      case "transaction":
        return this.#transaction(await request.json<Transaction>());
      case "list":
        return this.#list(Number(searchParams.get("limit")), searchParams.has("values"));
      case "increment":
        return this.#increment(key);
      case "large":
        if (request.method === "PUT") return this.#putLarge(key, await request.arrayBuffer());
        return this.#getLarge(key);
      default:
        return new Response(null, { status: 404 });
    }
  }

  #batch(puts: readonly Put[]): Response {
    this.#storage.transactionSync(() => {
      for (const { key, value } of puts) this.#put(key, value);
    });
    return done();
  }

  #transaction({ key, equals, puts }: Transaction): Response {
    return this.#storage.transactionSync(() => {
      if (this.#get(key) !== equals) return new Response(null, { status: 409 });
      for (const put of puts) this.#put(put.key, put.value);
      return done();
    });
  }

  #list(limit: number, values: boolean): Response {
    const columns = values ? "key, value" : "key";
    const keys = this.#storage.sql
      .exec(`SELECT ${columns} FROM entries ORDER BY key LIMIT ?`, limit)
      .toArray();
    return Response.json({ keys });
  }

  #increment(key: string): Response {
    const sum = String(Number(this.#get(key) ?? 0) + 1);
    this.#put(key, sum);
    return new Response(sum);
  }

  /** Writes all chunks in one transaction, so that no reader gets half of the old and half of the new value. */
  #putLarge(key: string, bytes: ArrayBuffer): Response {
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM chunks WHERE key = ?", key);
      for (let n = 0; n * CHUNK_BYTES < bytes.byteLength; n += 1) {
        const chunk = bytes.slice(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES);
        this.#storage.sql.exec("INSERT INTO chunks VALUES (?, ?, ?)", key, n, chunk);
      }
    });
    return done();
  }

  #getLarge(key: string): Response {
    const chunks = this.#storage.sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM chunks WHERE key = ? ORDER BY n", key)
      .toArray()
      .map(({ bytes }) => bytes);
    return new Response(new Blob(chunks));
  }

  #put(key: string, value: string): void {
    this.#storage.sql.exec("INSERT OR REPLACE INTO entries VALUES (?, ?)", key, value);
  }

  #get(key: string): string | undefined {
    return this.#storage.sql
      .exec<{ value: string }>("SELECT value FROM entries WHERE key = ?", key)
      .toArray()[0]?.value;
  }
}

function done(): Response {
  return new Response(null, { status: 204 });
}
