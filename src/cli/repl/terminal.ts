/** The interactive REPL: prompt, history, completion and colours. */

import { createInterface, type Interface } from "node:readline";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Conversation } from "./conversation.ts";
import { printable } from "../printable.ts";
import { feed, plain, replies } from "./colours.ts";
import { isWorthKeeping, type History } from "./history.ts";
import { complete, type AskService } from "./completer.ts";

const PROMPT = "kv> ";
const CLEAR_LINE = "\r\x1b[K";

export interface Screen {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly colour: boolean;
}

export interface ReplOptions {
  readonly conversation: Pick<Conversation, "ask" | "ended">;
  /** Asks on a connection of its own, so that the replies are not shown. */
  readonly completions: AskService;
  readonly history: History;
}

/** The REPL at a terminal. */
export class TerminalRepl {
  readonly #screen: Screen;
  #lines: Interface | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Prints text of the service in place of the prompt, and then the prompt again. */
  show(text: string, kind: "reply" | "feed"): void {
    const { output, colour } = this.#screen;
    const paint = colour ? { reply: replies, feed }[kind] : plain;
    output.write(CLEAR_LINE + paint(printable(text.replaceAll("\r\n", "\n"))));
    this.#lines?.prompt(true);
  }

  /** Runs until the user or the service ends it. @returns the exit code */
  run({ conversation, completions, history }: ReplOptions): Promise<ExitCode> {
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
    // The newest entry is first. Removing it here keeps it out of the history.
    lines.on("history", (kept: string[]) => {
      if (kept[0] !== undefined && !isWorthKeeping(kept[0])) kept.shift();
    });
    lines.on("line", (line) => {
      if (line.trim() === "") return lines.prompt();
      history.add(line);
      // Replies are printed by `show`, and the connection's end is handled below.
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
        // Ctrl-D; after another end this has no effect.
        this.#lines = undefined;
        resolve(EXIT.done);
        output.write("\n");
      });
      void this.#endWith(conversation, end);
      lines.prompt();
    });
  }

  async #endWith({ ended }: ReplOptions["conversation"], end: (code: ExitCode) => void): Promise<void> {
    const ending = await ended;
    // The user has ended it already.
    if (this.#lines === undefined) return;
    if (ending === "broken") this.#screen.output.write(`${CLEAR_LINE}The connection broke.`);
    end(ending === "closed" ? EXIT.done : EXIT.notFound);
  }
}

/** readline's completer. Without a response of the service there are no candidates. */
function completer(ask: AskService) {
  type Completion = [string[], string];
  return (line: string, done: (error: Error | null, result: Completion) => void): void => {
    const propose = async (): Promise<void> => {
      done(null, await complete(line, ask).catch((): Completion => [[], line]));
    };
    void propose();
  };
}

/** The first Ctrl-C clears the line. A second one, with nothing typed in between, quits. */
function onInterrupts(lines: Interface, output: NodeJS.WritableStream, end: () => void): void {
  let once = false;
  lines.on("line", () => (once = false));
  lines.on("SIGINT", () => {
    if (once && lines.line === "") return end();
    once = true;
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
    output.write("\n(Ctrl-C once more, or Ctrl-D, to quit)\n");
    lines.prompt();
  });
}
