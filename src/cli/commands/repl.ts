/** `kv repl`. */

import { once } from "node:events";
import type { Command } from "commander";
import type { Kv } from "../../client/index.ts";
import { Ended, EXIT } from "../exit.ts";
import { withExamples } from "../help.ts";
import { wantsColour } from "../repl/colours.ts";
import { Conversation, type Hear } from "../repl/conversation.ts";
import { History, historyFile } from "../repl/history.ts";
import { converse } from "../repl/piped.ts";
import { TerminalSession } from "../repl/terminal.ts";
import type { Ask } from "../repl/words.ts";
import { serviceOf } from "../service.ts";
import { openStdin } from "../stdin.ts";
import { printable } from "../printable.ts";
import { processOf } from "../process.ts";
import { webSocketClass } from "../web-socket.ts";

export function addRepl(kv: Command): void {
  const command = kv
    .command("repl")
    .description("speak the text protocol: type HELP; lines may also be piped in")
    .action(async () => {
      const service = serviceOf(command, { WebSocket: await webSocketClass() });
      const { stdin, stdout } = processOf(command);
      const interactive = stdin.isTTY && stdout.isTTY;
      await (interactive ? atTerminal(command, service) : piped(command, service));
    });
  withExamples(command, {
    "kv repl": "Tab completes verbs, buckets and keys; Ctrl-D ends it",
    "printf 'CREATE shopping\\nPUT shopping milk 1\\n' | kv repl": "",
  });
}

async function piped(command: Command, service: Kv): Promise<void> {
  const { stdout } = processOf(command);
  const stdin = openStdin(command);
  const conversation = await open(service, (text) => {
    const lines = text.replaceAll("\r\n", "\n");
    stdout.write(stdout.isTTY ? printable(lines) : lines);
  });
  const ready = async (): Promise<void> => {
    if (stdout.writableNeedDrain) await once(stdout, "drain");
  };
  const conversed = converse(stdin as AsyncIterable<Uint8Array>, conversation, ready);
  // Who waits for a next line has to hear, too, that nobody listens any more.
  const ended = endOf(conversation);
  try {
    await Promise.race([conversed.catch(() => ended), ended]);
  } finally {
    conversation.close();
    stdin.destroy();
  }
}

/** @throws {Ended} if it broke */
async function endOf({ ended }: Conversation): Promise<void> {
  if ((await ended) === "broken") throw new Ended(EXIT.notFound, "kv: The connection broke.");
}

async function atTerminal(command: Command, service: Kv): Promise<void> {
  const { stdin, stdout, env } = processOf(command);
  const colour = wantsColour(stdout.isTTY, env);
  const session = new TerminalSession({ input: stdin, output: stdout, colour });
  const conversation = await open(service, (text, kind) => session.hear(text, kind));
  const completions = aside(service);
  try {
    const history = new History(historyFile(env));
    const code = await session.run({ conversation, completions: completions.ask, history });
    if (code !== EXIT.done) throw new Ended(code);
  } finally {
    conversation.close();
    completions.close();
    stdin.destroy();
  }
}

/** Asks on a connection of its own, which is there from the first question on. */
function aside(service: Kv): { readonly ask: Ask; readonly close: () => void } {
  let opening: Promise<Conversation> | undefined;
  return {
    ask: async (line) => (await (opening ??= open(service, () => undefined))).ask(line),
    close: () => void opening?.then((conversation) => conversation.close()).catch(() => undefined),
  };
}

/** A WebSocket does not say why it was refused: a call over HTTP does. */
async function open(service: Kv, hear: Hear): Promise<Conversation> {
  await service.lookup("repl");
  return Conversation.open(service.connect(), hear);
}
