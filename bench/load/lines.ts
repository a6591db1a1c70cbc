/** A text-protocol connection that sends and receives lines, for benches that are not closed loops. */

import { once } from "node:events";
import { connect } from "node:net";

export interface Lines {
  /** Sends lines, and resolves to the next reply lines. */
  ask(text: string, replyLines: number): Promise<string[]>;
  /** Resolves to the next lines, including notices. */
  take(count: number): Promise<string[]>;
  close(): void;
}

export async function openLines(port: number): Promise<Lines> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.setEncoding("utf8");
  await once(socket, "connect");
  let text = "";
  const lines: string[] = [];
  let wake = (): void => undefined;
  let closed = false;
  socket.on("data", (chunk: string) => {
    const parts = (text + chunk).split("\r\n");
    text = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  socket.on("close", () => {
    closed = true;
    wake();
  });
  const take = async (count: number): Promise<string[]> => {
    while (lines.length < count) {
      if (closed) throw new Error("the server closed the connection");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return lines.splice(0, count);
  };
  return {
    take,
    ask(sent, replyLines) {
      socket.write(sent);
      return take(replyLines);
    },
    close: () => socket.destroy(),
  };
}
