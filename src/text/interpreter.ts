/** The interpreter of the text protocol: runs lines as commands and yields their replies in order. */

import { breath } from "../lib/breath.ts";
import { failure, failureOf, type Failure } from "../model/errors.ts";
import type { Answer, BucketCommand, Command, Malformed, ServiceCommand } from "./command.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_LINE_BYTES, type Line } from "./lines.ts";
import { foreignLine } from "./foreign.ts";
import { parse } from "./parser.ts";
import { reply } from "./replies.ts";

/** Runs commands: either the whole service, or one bucket for a connection to that bucket. */
export interface Service {
  /** Ensures that the bucket exists. */
  create(bucket: string): Promise<void>;
  /** The id of the bucket's object; undefined if there is no such bucket. */
  lookup(bucket: string): Promise<string | undefined>;
  /** Stops the bucket. @returns whether it existed */
  stop(bucket: string): Promise<boolean>;
  /** Sends an exit signal. @returns whether the bucket exists */
  exit(bucket: string, reason: string): Promise<boolean>;
  /** Sends this connection the bucket's end and restarts from now on. @returns false if the bucket does not exist */
  monitor(bucket: string): Promise<boolean>;
  /** One page of bucket names, in order. */
  buckets(prefix: string, after: string): Promise<readonly string[]>;
  /** Sends this connection the bucket's changes from now on. @returns false if the bucket does not exist */
  subscribe(bucket: string): Promise<boolean>;
  /**
   * Runs commands of one bucket in one call. If the answers would be too large, it answers only the first commands, at
   * least one. @returns undefined if the bucket does not exist
   */
  run(bucket: string, commands: readonly BucketCommand[]): Promise<readonly Answer[] | undefined>;
}

/** Authorization of one connection. */
export interface Admission {
  /** Whether this connection has sent the token, or needs none. */
  admitted: boolean;
  /** Whether `token` is correct. */
  accepts(token: string): boolean;
  /** Whether too many wrong tokens were tried; then the connection ends. */
  readonly exhausted?: boolean;
}

/** Bytes in the longest line before AUTH. */
const MAX_LINE_BEFORE_LOGIN = 4_096;

/** Commands of one connection that run at once. */
const MAX_WINDOW = 512;
/** Characters of commands of one connection that run at once. */
const MAX_WINDOW_LENGTH = 4 * 1_048_576;
/** Characters of replies that are collected before they are yielded. */
const MAX_PIECE_LENGTH = 65_536;
/** Buckets that are called at once; the platform's limit for one request is six open connections. */
const MAX_BUCKETS_AT_ONCE = 6;

/** Errors after which the stream can't be trusted: no further line runs, and the connection ends. */
const ENDS_CONNECTION: ReadonlySet<string> = new Set(["wrong_protocol", "too_long"]);

/** The interpreter of one connection, with its state: authorized or not, open or closed. */
export class Interpreter {
  readonly #service: Service;
  readonly #admission: Admission;
  #closed = false;
  /** Whether no line was a command so far; then {@link foreignLine} is stricter. */
  #greeting = true;

  constructor(service: Service, admission: Admission) {
    this.#service = service;
    this.#admission = admission;
  }

  /** True after QUIT, and after an error that ends the connection: no further line runs. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Runs lines and yields their replies, in the order of the lines, in pieces of bounded size.
   *
   * Commands of one bucket are sent together, even with commands of other buckets between them; different buckets run
   * concurrently. A command that is not for one bucket (CREATE, STOP, AUTH …) is a barrier: it runs after all commands
   * before it and before all commands after it.
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
      // Yield the replies that are ready before calling another object.
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

  /** Whether a line of this many bytes is too long; the line may be incomplete. */
  isTooLong(bytes: number): boolean {
    return bytes > (this.#admission.admitted ? MAX_LINE_BYTES : MAX_LINE_BEFORE_LOGIN);
  }

  /** The reply to a line over the limit. It closes the interpreter. */
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
      : { verb: "BAD", failure: failure("unauthorized", "Send AUTH first.") };
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

  /** Calls buckets for answers, at least for that of `window[next]`. */
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
      // One call, one failure: every command of the call gets it. The outcome of each is unknown, unless the error says
      // otherwise.
      const answer: Answer = { kind: "error", failure: failureOf(error) };
      return commands.map(() => answer);
    }
  }

  async #runAlone(command: ServiceCommand | Malformed): Promise<Answer> {
    try {
      return await this.#execute(command);
    } catch (error) {
      return { kind: "error", failure: failureOf(error) };
    }
  }

  async #execute(command: ServiceCommand | Malformed): Promise<Answer> {
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
        return this.#authorize(command.token);
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

  #authorize(token: string): Answer {
    if (!this.#admission.accepts(token)) {
      if (this.#admission.exhausted === true) this.#closed = true;
      return { kind: "error", failure: failure("unauthorized", "The token is wrong.") };
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
    case "GETDEL":
    case "KEYS":
    case "INCR":
      return true;
    default:
      return false;
  }
}

/** Whether a command calls another object. */
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
 * The commands to send next, as positions in the window by bucket: commands without an answer, of the first
 * {@link MAX_BUCKETS_AT_ONCE} buckets from `next` on. A bucket whose answers still wait for their turn is not called again,
 * so the waiting answers are bounded, however large each one is.
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
