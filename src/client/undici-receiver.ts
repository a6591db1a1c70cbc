/** Receives one response from undici, in both of its ways: Node 20 and 22 call the first methods, Node 24 the others. */

import { WholeResponse } from "./http-response.ts";

type Piece = Uint8Array;
/** Values by lower-case name; a header that came several times has several. */
type ParsedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export class Receiver {
  readonly #resolve: (response: WholeResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #headers = new Map<string, string>();
  readonly #pieces: Piece[] = [];
  /** 0 until the response has begun. */
  #status = 0;
  #stop: ((reason: Error) => void) | undefined;
  #aborted: Error | undefined;

  /** @param resolve gets the response when it is whole, or has broken off @param reject gets the error if none began */
  constructor(resolve: (response: WholeResponse) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Gives the request up; also one that waits for a connection. */
  abort(reason: Error): void {
    this.#aborted = reason;
    this.#stop?.(reason);
    this.#reject(reason);
  }

  onConnect(abort: (reason: Error) => void): void {
    this.#begun(abort);
  }

  onHeaders(status: number, raw: readonly Uint8Array[]): boolean {
    if (this.#begins(status)) {
      for (let at = 0; at < raw.length; at += 2)
        this.#add(latin1(raw[at]).toLowerCase(), latin1(raw[at + 1]));
    }
    return true;
  }

  onData(piece: Piece): boolean {
    this.#pieces.push(piece);
    return true;
  }

  onComplete(): void {
    this.#ended();
  }

  onError(error: Error): void {
    this.#ended(error);
  }

  onRequestStart(controller: { abort(reason: Error): void }): void {
    this.#begun((reason) => controller.abort(reason));
  }

  onResponseStart(_controller: unknown, status: number, headers: ParsedHeaders): void {
    if (!this.#begins(status)) return;
    for (const [name, value] of Object.entries(headers)) {
      for (const one of typeof value === "string" ? [value] : (value ?? []))
        this.#add(name.toLowerCase(), one);
    }
  }

  onResponseData(_controller: unknown, piece: Piece): void {
    this.#pieces.push(piece);
  }

  onResponseEnd(): void {
    this.#ended();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#ended(error);
  }

  #begun(stop: (reason: Error) => void): void {
    this.#stop = stop;
    // It was given up while it waited for a connection.
    if (this.#aborted !== undefined) stop(this.#aborted);
  }

  /** Whether this is the response, and not an interim one, such as 103 (RFC 9110 §15.2). */
  #begins(status: number): boolean {
    if (status < 200) return false;
    this.#status = status;
    return true;
  }

  #add(name: string, value: string): void {
    const before = this.#headers.get(name);
    this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  #ended(error?: Error): void {
    if (this.#status === 0) this.#reject(error);
    else this.#resolve(new WholeResponse(this.#status, this.#headers, this.#pieces, error));
  }
}

function latin1(bytes: Uint8Array | undefined): string {
  return String.fromCharCode(...(bytes ?? []));
}
