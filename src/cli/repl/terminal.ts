/** The text protocol for who types it: a prompt, history, completion, colour. */

import { createInterface, type Interface } from "node:readline";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Conversation } from "./conversation.ts";
import { printable } from "../printable.ts";
import { feed, plain, replies } from "./colours.ts";
import { isWorthKeeping, type History } from "./history.ts";
import { complete, type Ask } from "./words.ts";

const PROMPT = "kv> ";
const CLEAR_LINE = "\r\x1b[K";

export interface Screen {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly colour: boolean;
}

export interface Partner {
  readonly conversation: Pick<Conversation, "ask" | "ended">;
  /** On a connection of its own: what it asks for is not to be seen. */
  readonly completions: Ask;
  readonly history: History;
}

/** A session at a terminal. */
export class TerminalSession {
  readonly #screen: Screen;
  #lines: Interface | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Shows what the service says: where the prompt is, which then follows. */
  hear(text: string, kind: "reply" | "feed"): void {
    const { output, colour } = this.#screen;
    const paint = colour ? { reply: replies, feed }[kind] : plain;
    output.write(CLEAR_LINE + paint(printable(text.replaceAll("\r\n", "\n"))));
    this.#lines?.prompt(true);
  }

  /** @returns the exit code, when it is over */
  run({ conversation, completions, history }: Partner): Promise<ExitCode> {
    const { input, output } = this.#screen;
    const lines = createInterface({
      input,
      output,
      terminal: true,
      prompt: PROMPT,
      history: history.read().toReversed(),
      removeHistoryDuplicates: true,
      completer: completer(completions),
    });
    this.#lines = lines;
    // The newest comes first; what is taken out here is not offered again.
    lines.on("history", (kept: string[]) => {
      if (kept[0] !== undefined && !isWorthKeeping(kept[0])) kept.shift();
    });
    lines.on("line", (line) => {
      if (line.trim() === "") return lines.prompt();
      history.add(line);
      // What it says is heard; that it has ended, below.
      conversation.ask(line).catch(() => undefined);
    });
    return new Promise((resolve) => {
      const end = (code: ExitCode): void => {
        this.#lines = undefined;
        resolve(code);
        lines.close();
      };
      onInterrupts(lines, output, () => end(EXIT.interrupted));
      lines.on("close", () => {
        // Ctrl-D; or it is over already, and nobody hears this.
        this.#lines = undefined;
        resolve(EXIT.done);
        output.write("\n");
      });
      void this.#endWith(conversation, end);
      lines.prompt();
    });
  }

  async #endWith({ ended }: Partner["conversation"], end: (code: ExitCode) => void): Promise<void> {
    const ending = await ended;
    // It was ended from here.
    if (this.#lines === undefined) return;
    if (ending === "broken") this.#screen.output.write(`${CLEAR_LINE}The connection broke.`);
    end(ending === "closed" ? EXIT.done : EXIT.notFound);
  }
}

/** What readline asks. Where the service does not answer there is nothing to propose. */
function completer(ask: Ask) {
  type Completion = [string[], string];
  return (line: string, done: (error: Error | null, result: Completion) => void): void => {
    const propose = async (): Promise<void> => {
      done(null, await complete(line, ask).catch((): Completion => [[], line]));
    };
    void propose();
  };
}

/** The first Ctrl-C takes away what is typed; the next one, if nothing is typed in between, ends it. */
function onInterrupts(lines: Interface, output: NodeJS.WritableStream, end: () => void): void {
  let once = false;
  lines.on("line", () => (once = false));
  lines.on("SIGINT", () => {
    if (once && lines.line === "") return end();
    once = true;
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
    output.write("\n(Ctrl-C once more, or Ctrl-D, ends it)\n");
    lines.prompt();
  });
}
