/** `kv repl`. */

import { once } from "node:events";
import type { Command } from "commander";
import type { Kv } from "../../client/index.ts";
import { ExitError, EXIT } from "../exit.ts";
import { withExamples } from "../help.ts";
import { wantsColour } from "../repl/colours.ts";
import { Conversation, type OnText } from "../repl/conversation.ts";
import { History, historyFile } from "../repl/history.ts";
import { sendLines } from "../repl/piped.ts";
import { TerminalRepl } from "../repl/terminal.ts";
import type { AskService } from "../repl/completer.ts";
import { serviceOf } from "../service.ts";
import { openStdin } from "../stdin.ts";
import { printable } from "../printable.ts";
import { processOf } from "../process.ts";
import { webSocketClass } from "../web-socket.ts";

export function addRepl(kv: Command): void {
  const command = kv
    .command("repl")
    .description("use the text protocol: type HELP for its commands; lines may be piped in")
    .action(async () => {
      const service = serviceOf(command, { WebSocket: await webSocketClass() });
      const { stdin, stdout } = processOf(command);
      const interactive = stdin.isTTY && stdout.isTTY;
      await (interactive ? atTerminal(command, service) : piped(command, service));
    });
  withExamples(command, {
    "kv repl": "Tab completes commands, buckets and keys; Ctrl-D quits",
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
  const sending = sendLines(stdin as AsyncIterable<Uint8Array>, conversation, ready);
  // A race, because the end of the connection must end the wait for the next input line, too.
  const ended = endOf(conversation);
  try {
    await Promise.race([sending.catch(() => ended), ended]);
  } finally {
    conversation.close();
    stdin.destroy();
  }
}

/** Waits for the end of the connection. @throws {ExitError} if it broke */
async function endOf({ ended }: Conversation): Promise<void> {
  if ((await ended) === "broken") throw new ExitError(EXIT.notFound, "kv: The connection broke.");
}

async function atTerminal(command: Command, service: Kv): Promise<void> {
  const { stdin, stdout, env } = processOf(command);
  const colour = wantsColour(stdout.isTTY, env);
  const repl = new TerminalRepl({ input: stdin, output: stdout, colour });
  const conversation = await open(service, (text, kind) => repl.show(text, kind));
  const completions = completionConnection(service);
  try {
    const history = new History(historyFile(env));
    const code = await repl.run({ conversation, completions: completions.ask, history });
    if (code !== EXIT.done) throw new ExitError(code);
  } finally {
    conversation.close();
    completions.close();
    stdin.destroy();
  }
}

/** A second connection for completions, opened at the first one, so that their replies are not shown. */
function completionConnection(service: Kv): { readonly ask: AskService; readonly close: () => void } {
  let opening: Promise<Conversation> | undefined;
  return {
    ask: async (line) => (await (opening ??= open(service, () => undefined))).ask(line),
    close: () => void opening?.then((conversation) => conversation.close()).catch(() => undefined),
  };
}

/** Connects. An HTTP request first, because a WebSocket does not say why it was refused. */
async function open(service: Kv, onText: OnText): Promise<Conversation> {
  await service.lookup("repl");
  return Conversation.open(service.connect(), onText);
}
