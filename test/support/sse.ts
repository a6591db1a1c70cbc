/** A reader of Server-Sent Events, for tests: runs in workerd and in Node. */

export interface SseEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class SseReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  /** The last id that was seen, as a browser would send it again. */
  lastId = "";

  constructor(response: Response) {
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** The next event; undefined when the stream has ended. */
  async next(): Promise<SseEvent | undefined> {
    for (;;) {
      const block = await this.#block();
      if (block === undefined) return undefined;
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
      }
      this.lastId = fields.get("id") ?? this.lastId;
      const data = fields.get("data");
      if (data === undefined) return this.next();
      return {
        id: this.lastId,
        event: fields.get("event") ?? "message",
        data: JSON.parse(data) as SseEvent["data"],
      };
    }
  }

  /** Waits until the stream has shown where it begins. */
  async begun(): Promise<this> {
    while (this.lastId === "") {
      const block = await this.#block();
      if (block === undefined) return this;
      this.lastId = /^id: (.*)$/m.exec(block)?.[1] ?? "";
    }
    return this;
  }

  /** The next comment. */
  async comment(): Promise<string | undefined> {
    let block = await this.#block();
    while (block?.startsWith(":") === false) {
      this.lastId = /^id: (.*)$/m.exec(block)?.[1] ?? this.lastId;
      block = await this.#block();
    }
    return block;
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #block(): Promise<string | undefined> {
    for (let end = this.#text.indexOf("\n\n"); ; end = this.#text.indexOf("\n\n")) {
      if (end !== -1) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }
}
