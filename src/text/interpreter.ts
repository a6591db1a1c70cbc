/** Lines in, replies out, in order: what a session does between its bytes. */

import { breath } from "../lib/breath.ts";
import { failure, failureOf, type Failure } from "../model/errors.ts";
import type { Answer, BucketCommand, Command, Malformed, ServiceCommand } from "./command.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_LINE_BYTES, type Line } from "./lines.ts";
import { foreignLine } from "./foreign.ts";
import { parse } from "./parser.ts";
import { reply } from "./replies.ts";

/** Who carries commands out: the whole service, or one bucket for a connection of its own. */
export interface Service {
  /** Ensures that there is a bucket. */
  create(bucket: string): Promise<void>;
  /** The id of the bucket's object; undefined if there is no such bucket. */
  lookup(bucket: string): Promise<string | undefined>;
  /** Whether there was such a bucket. */
  stop(bucket: string): Promise<boolean>;
  /** Sends an exit signal. Whether there was such a bucket. */
  exit(bucket: string, reason: string): Promise<boolean>;
  /** From now on this connection hears of the bucket's end, and of its restarts. False if there is none. */
  monitor(bucket: string): Promise<boolean>;
  /** Names in order, a page at most. */
  buckets(prefix: string, after: string): Promise<readonly string[]>;
  /** From now on changes are sent to this connection. False if there is no such bucket. */
  subscribe(bucket: string): Promise<boolean>;
  /**
   * Carries out commands of one bucket, in one hop. May answer only the first of them, one at least, where
   * the answers would grow too large. Undefined if there is no such bucket.
   */
  run(bucket: string, commands: readonly BucketCommand[]): Promise<readonly Answer[] | undefined>;
}

/** Who may go on. */
export interface Admission {
  /** Whether this connection has shown a token, or needs none. */
  admitted: boolean;
  /** Whether `token` is the right one. */
  accepts(token: string): boolean;
  /** Whether too many wrong ones were tried: then the connection ends. */
  readonly exhausted?: boolean;
}

/** Bytes in the longest line of a connection that has yet to show a token. */
const MAX_LINE_BEFORE_LOGIN = 4_096;

/** Commands that may be under way at once for one connection. */
const MAX_WINDOW = 512;
/** Characters of commands that may be under way at once for one connection. */
const MAX_WINDOW_LENGTH = 4 * 1_048_576;
/** Characters of replies that are gathered before they are sent. */
const MAX_PIECE_LENGTH = 65_536;
/** Buckets that are asked at once: the platform lets one request have six connections open. */
const MAX_BUCKETS_AT_ONCE = 6;

/** What can't be followed: nothing behind it is run. */
const ENDS_CONNECTION: ReadonlySet<string> = new Set(["wrong_protocol", "too_long"]);

/** A connection's state: what it may do, and whether it goes on. */
export class Interpreter {
  readonly #service: Service;
  readonly #admission: Admission;
  #closed = false;
  /** Whether nothing that came was a command so far. */
  #greeting = true;

  constructor(service: Service, admission: Admission) {
    this.#service = service;
    this.#admission = admission;
  }

  /** After QUIT, or when what came can't be trusted: no further line is run, and the connection ends. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Runs lines and yields their replies, in the order of the lines, in pieces of bounded size.
   *
   * Commands of one bucket that stand together travel together, even where commands of another bucket
   * stand between them; those of different buckets run side by side. A command that is not one bucket's
   * (CREATE, STOP, AUTH …) waits for all before it, and all after it wait for it.
   */
  async *run(lines: readonly Line[]): AsyncGenerator<string, void, void> {
    let at = 0;
    let known = "";
    while (at < lines.length && !this.#closed) {
      const window: BucketCommand[] = [];
      let alone: Exclude<Command | Malformed, BucketCommand> | undefined;
      let length = 0;
      for (; at < lines.length && alone === undefined; at += 1) {
        const line = lines[at] as Line;
        if (window.length === MAX_WINDOW || length > MAX_WINDOW_LENGTH) break;
        const command = this.#understand(line);
        if (isBucketCommand(command)) window.push(command);
        else alone = command;
        length += line.text.length;
      }
      // What is known already does not wait for what has to be asked for.
      const asks = window.length > 0 || (alone !== undefined && leavesConnection(alone));
      if (known !== "" && (asks || known.length > MAX_PIECE_LENGTH)) {
        yield known;
        known = "";
      }
      const pause = breath.takeBytes(length, 1 + window.length);
      if (pause !== undefined) await pause;
      yield* this.#runWindow(window);
      if (alone !== undefined) known += reply(await this.#runAlone(alone));
    }
    if (known !== "") yield known;
  }

  /** Whether a line of so many bytes is too long, whole or not. */
  isTooLong(bytes: number): boolean {
    return bytes > (this.#admission.admitted ? MAX_LINE_BYTES : MAX_LINE_BEFORE_LOGIN);
  }

  /** The reply to a line over the limit; the connection ends with it. */
  tooLong(): string {
    this.#closed = true;
    return reply({ kind: "error", failure: this.#tooLongFailure() });
  }

  #tooLongFailure(): Failure {
    const limit = this.#admission.admitted
      ? "A line has at most 2 MiB."
      : "Before AUTH a line has at most 4 KiB.";
    return failure("too_long", `${limit} The connection is closed.`);
  }

  #understand(line: Line): Command | Malformed {
    if (!this.#admission.admitted && this.isTooLong(byteLength(line.text))) {
      return { verb: "BAD", failure: this.#tooLongFailure() };
    }
    const command = parse(line);
    if (command.verb === "UNKNOWN" || command.verb === "BAD") {
      const foreign = foreignLine(line, { greeting: this.#greeting });
      if (foreign !== undefined) return { verb: "BAD", failure: foreign };
    } else this.#greeting = false;
    return this.#mayRun(command)
      ? command
      : { verb: "BAD", failure: failure("unauthorized", "AUTH comes first.") };
  }

  #mayRun({ verb }: Command | Malformed): boolean {
    return (
      this.#admission.admitted || verb === "AUTH" || verb === "PING" || verb === "QUIT" || verb === "HELP"
    );
  }

  async *#runWindow(window: readonly BucketCommand[]): AsyncGenerator<string, void, void> {
    const answers = window.map((): Answer | undefined => undefined);
    let next = 0;
    while (next < window.length) {
      await this.#fill(window, answers, next);
      let text = "";
      for (; answers[next] !== undefined; next += 1) {
        text += reply(answers[next] as Answer);
        answers[next] = undefined;
      }
      const pause = breath.takeBytes(text.length);
      if (pause !== undefined) await pause;
      yield text;
    }
  }

  /** Asks for answers, that of `window[next]` at least. */
  async #fill(
    window: readonly BucketCommand[],
    answers: (Answer | undefined)[],
    next: number,
  ): Promise<void> {
    await Promise.all(
      [...openGroups(window, answers, next)].map(async ([bucket, places]) => {
        const commands = places.map((place) => window[place] as BucketCommand);
        const given = await this.#ask(bucket, commands);
        given.forEach((answer, position) => {
          answers[places[position] as number] = answer;
        });
      }),
    );
  }

  async #ask(bucket: string, commands: readonly BucketCommand[]): Promise<readonly Answer[]> {
    try {
      return (await this.#service.run(bucket, commands)) ?? commands.map(() => ({ kind: "no_bucket" }));
    } catch (error) {
      // Sent together, failed together: what became of each is unknown, unless the failure says otherwise.
      const answer: Answer = { kind: "error", failure: failureOf(error) };
      return commands.map(() => answer);
    }
  }

  async #runAlone(command: ServiceCommand | Malformed): Promise<Answer> {
    try {
      return await this.#carryOut(command);
    } catch (error) {
      return { kind: "error", failure: failureOf(error) };
    }
  }

  async #carryOut(command: ServiceCommand | Malformed): Promise<Answer> {
    const service = this.#service;
    switch (command.verb) {
      case "CREATE":
        await service.create(command.bucket);
        return { kind: "ok" };
      case "LOOKUP": {
        const id = await service.lookup(command.bucket);
        return id === undefined ? { kind: "no_bucket" } : { kind: "value", value: id };
      }
      case "STOP":
        return { kind: (await service.stop(command.bucket)) ? "ok" : "no_bucket" };
      case "EXIT":
        return { kind: (await service.exit(command.bucket, command.reason)) ? "ok" : "no_bucket" };
      case "MONITOR":
        return (await service.monitor(command.bucket))
          ? { kind: "ok" }
          : { kind: "ok_noproc", bucket: command.bucket };
      case "SUBSCRIBE":
        return { kind: (await service.subscribe(command.bucket)) ? "silent" : "no_bucket" };
      case "BUCKETS":
        return { kind: "names", names: await service.buckets(command.prefix, command.after) };
      case "AUTH":
        return this.#authorise(command.token);
      case "PING":
        return { kind: "pong" };
      case "QUIT":
        this.#closed = true;
        return { kind: "ok" };
      case "HELP":
        return { kind: "help" };
      case "UNKNOWN":
        return { kind: "unknown" };
      case "BAD":
        if (ENDS_CONNECTION.has(command.failure.code)) this.#closed = true;
        return { kind: "error", failure: command.failure };
    }
  }

  #authorise(token: string): Answer {
    if (!this.#admission.accepts(token)) {
      if (this.#admission.exhausted === true) this.#closed = true;
      return { kind: "error", failure: failure("unauthorized", "This is not the token.") };
    }
    this.#admission.admitted = true;
    return { kind: "ok" };
  }
}

function isBucketCommand(command: Command | Malformed): command is BucketCommand {
  switch (command.verb) {
    case "GET":
    case "PUT":
    case "DELETE":
    case "KEYS":
    case "INCR":
      return true;
    default:
      return false;
  }
}

/** Whether the answer to a command comes from elsewhere. */
function leavesConnection({ verb }: ServiceCommand | Malformed): boolean {
  switch (verb) {
    case "AUTH":
    case "PING":
    case "QUIT":
    case "HELP":
    case "UNKNOWN":
    case "BAD":
      return false;
    default:
      return true;
  }
}

/**
 * The places of the commands to ask for next, by bucket: those without an answer, of the first buckets that
 * stand at `next` and behind it. A bucket with answers that wait for their turn is not asked for more of
 * them, so what waits is bounded, however large the answers are.
 */
function openGroups(
  window: readonly BucketCommand[],
  answers: readonly (Answer | undefined)[],
  next: number,
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  const waiting = new Set<string>();
  for (let place = next; place < window.length; place += 1) {
    const { bucket } = window[place] as BucketCommand;
    const group = groups.get(bucket);
    if (group !== undefined) group.push(place);
    else if (waiting.has(bucket) || groups.size + waiting.size === MAX_BUCKETS_AT_ONCE) continue;
    else if (answers[place] !== undefined) waiting.add(bucket);
    else groups.set(bucket, [place]);
  }
  return groups;
}
