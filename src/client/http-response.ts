/** What the client reads of a response. The platform's `Response` is one. */

export interface HttpResponse {
  readonly ok: boolean;
  readonly status: number;
  /** `opaqueredirect` in a browser that hides a redirect's status. */
  readonly type: string;
  readonly headers: Pick<Headers, "get">;
  /** Null if it has been read already. */
  readonly body: Pick<ReadableStream, "cancel"> | null;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A response that has arrived whole, or has broken off. */
export class WholeResponse implements HttpResponse {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  readonly type = "default";
  readonly body = null;
  readonly #pieces: readonly Uint8Array[];
  readonly #broken: Error | undefined;

  /** @param broken why the body has broken off; undefined if it is whole */
  constructor(
    status: number,
    headers: ReadonlyMap<string, string>,
    pieces: readonly Uint8Array[],
    broken?: Error,
  ) {
    this.status = status;
    this.headers = { get: (name) => headers.get(name.toLowerCase()) ?? null };
    this.#pieces = pieces;
    this.#broken = broken;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#bytes());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.#bytes();
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  async #bytes(): Promise<Uint8Array> {
    if (this.#broken !== undefined) throw this.#broken;
    const [first, second] = this.#pieces;
    const encoded = this.headers.get("Content-Encoding") === "gzip";
    if (first !== undefined && second === undefined && !encoded) return first;
    const whole = new Blob(this.#pieces as Uint8Array<ArrayBuffer>[]);
    // Nothing but a proxy compresses a response of the service's.
    const bytes = encoded ? new Response(whole.stream().pipeThrough(new DecompressionStream("gzip"))) : whole;
    return new Uint8Array(await bytes.arrayBuffer());
  }
}
