/** What strace has written of a server, as operations on files in the order in which they happened. */

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";

/** Paths are relative to the data folder, which is "". */
export type Operation =
  /** Opened, and created if it was not there. */
  | { readonly kind: "open"; readonly path: string }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly path: string }
  /** A file or a folder, when the call has returned. */
  | { readonly kind: "sync"; readonly path: string }
  /** Bytes handed to a client's connection, which is named by both ports: "server-client". */
  | { readonly kind: "send"; readonly connection: string; readonly bytes: Buffer };

/** What is traced. "?": not every architecture has it. Those that {@link operationOf} does not know fail the test. */
export const SYSCALLS = [
  ..."?open ?creat openat ?mkdir mkdirat ?unlink unlinkat ?rmdir ?rename renameat ?renameat2 ?link linkat".split(
    " ",
  ),
  ..."?truncate ftruncate fallocate write writev pwrite64 pwritev pwritev2 sendfile copy_file_range".split(
    " ",
  ),
  ..."sendto sendmsg fsync fdatasync sync syncfs sync_file_range".split(" "),
].join(",");

/** More than any write to a database: longer strings are cut off by strace, which is an error here. */
export const MAX_STRING = 262_144;

const FAILED = /= -1 E/;
/** The thread was killed in the call. */
const CUT_OFF = /= \?/;
const TCP = /^\w+\(\d+<TCP:\[[^\]]*:(\d+)->[^\]]*:(\d+)\]>/;
const STRING = /"([\\x0-9a-f]*)"(\.\.\.)?/g;
/** A descriptor with its path: `12</data/a>`, all in hexadecimal. */
const DESCRIPTOR = /(?:\d+|AT_FDCWD)<([\\x0-9a-f]*)>(\(deleted\))?/;

/** Reads a trace of `strace -f -xx -yy`. @param data the data folder's absolute path */
export async function readTrace(file: string, data: string): Promise<Operation[]> {
  const slots: (Operation | undefined)[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly slot: number }>();
  const dataInHex = inHex(data);
  const concerns = (text: string): boolean => text.includes(dataInHex) || TCP.test(text);
  for await (const line of linesOf(file)) {
    const space = line.indexOf(" ");
    const pid = line.slice(0, space);
    const text = line.slice(space).trimStart();
    if (text.startsWith("<... ")) {
      const begun = unfinished.get(pid);
      unfinished.delete(pid);
      if (begun === undefined) continue;
      const whole = begun.text + text.slice(text.indexOf("resumed>") + "resumed>".length);
      place(whole, begun.slot);
    } else if (text.endsWith("<unfinished ...>")) {
      const begun = text.slice(0, -"<unfinished ...>".length);
      if (!concerns(begun)) continue;
      // Its place is where it began: from then on, what it does may be on the disk.
      slots.push(undefined);
      unfinished.set(pid, { text: begun, slot: slots.length - 1 });
    } else if (concerns(text)) {
      slots.push(undefined);
      place(text, slots.length - 1);
    }
  }
  for (const { text, slot } of unfinished.values()) place(`${text}) = ?`, slot);
  return slots.filter((operation) => operation !== undefined);

  function place(text: string, slot: number): void {
    const result = text.slice(text.lastIndexOf(")"));
    if (FAILED.test(result)) return;
    const operation = operationOf(text, data);
    if (operation === undefined || (CUT_OFF.test(result) && !hasHappened(operation, data))) return;
    // A sync has happened only when it has returned.
    if (operation.kind === "sync") slots.push(operation);
    else slots[slot] = operation;
  }
}

/** The lines of a file. They are long, and many: node:readline takes twice the time. */
async function* linesOf(file: string): AsyncIterable<string> {
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "latin1", highWaterMark: 4_194_304 })) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function operationOf(text: string, data: string): Operation | undefined {
  const call = text.slice(0, text.indexOf("("));
  const connection = TCP.exec(text);
  if (connection !== null) {
    const sends = ["write", "writev", "sendto", "sendmsg"].includes(call);
    const bytes = Buffer.concat(sends ? stringsOf(text).map(({ bytes: part }) => part) : []);
    const sent = resultOf(text);
    return sends
      ? { kind: "send", connection: `${connection[1]}-${connection[2]}`, bytes: bytes.subarray(0, sent) }
      : undefined;
  }
  const [, rawFolder = "", deleted] = DESCRIPTOR.exec(text) ?? [];
  // What is written to a file without a name is gone when the power is.
  if (deleted !== undefined && !call.startsWith("open")) return undefined;
  const open = fromHex(rawFolder).toString();
  const inData = (path: string): string | undefined =>
    path === data ? "" : path.startsWith(`${data}/`) ? path.slice(data.length + 1) : undefined;
  const named = (n: number): string | undefined => {
    const name = stringsOf(text)[n]?.bytes.toString() ?? "";
    return inData(posix.resolve(call.endsWith("at") || call.endsWith("at2") ? open : data, name));
  };
  const path = inData(open);
  switch (call) {
    case "open":
    case "creat":
    case "openat": {
      if (call !== "creat" && !text.includes("O_CREAT")) return undefined;
      const file = named(0);
      if (file !== undefined && /O_TRUNC|O_APPEND|O_TMPFILE/.test(text)) throw unknown(text);
      return file === undefined ? undefined : { kind: "open", path: file };
    }
    case "mkdir":
    case "mkdirat": {
      const folder = named(0);
      return folder === undefined ? undefined : { kind: "folder", path: folder };
    }
    case "unlink":
    case "unlinkat": {
      const file = named(0);
      return file === undefined ? undefined : { kind: "unlink", path: file };
    }
    case "pwrite64": {
      if (path === undefined) return undefined;
      const [string] = stringsOf(text);
      if (string === undefined || string.cut) throw unknown(text);
      const offset = Number(/, (\d+)\s*\)\s*= (?:\d+|\?)/.exec(text)?.[1]);
      return { kind: "write", path, offset, bytes: string.bytes.subarray(0, resultOf(text)) };
    }
    case "ftruncate":
      return path === undefined
        ? undefined
        : { kind: "truncate", path, size: Number(/, (\d+)\)\s*=/.exec(text)?.[1]) };
    case "fsync":
    case "fdatasync":
      return path === undefined ? undefined : { kind: "sync", path };
    case "rename":
    case "renameat":
    case "renameat2": {
      const [from, to] = [named(0), named(1)];
      if (from === undefined && to === undefined) return undefined;
      if (from === undefined || to === undefined || call === "renameat2") throw unknown(text);
      return { kind: "rename", from, to };
    }
    case "write":
      // To a log, or a pipe, whose text has the data folder's name in it; a file of the data folder is never written so.
      if (path === undefined) return undefined;
      throw unknown(text);
    default:
      throw unknown(text);
  }
}

function stringsOf(text: string): { readonly bytes: Buffer; readonly cut: boolean }[] {
  return [...text.matchAll(STRING)].map(([, hex = "", cut]) => ({
    bytes: fromHex(hex),
    cut: cut !== undefined,
  }));
}

/** The number of bytes that were taken; all, where that is not known. */
function resultOf(text: string): number | undefined {
  const result = Number.parseInt(text.slice(text.lastIndexOf("= ") + 2), 10);
  return Number.isNaN(result) ? undefined : result;
}

/** Whether a call has taken effect in which its thread was killed. The processes have ended: the files say so. */
function hasHappened(operation: Operation, data: string): boolean {
  switch (operation.kind) {
    case "write": {
      const { path, offset, bytes } = operation;
      const file = join(data, path);
      return (
        existsSync(file) &&
        readFileSync(file)
          .subarray(offset, offset + bytes.length)
          .equals(bytes)
      );
    }
    case "truncate": {
      const file = join(data, operation.path);
      return existsSync(file) && statSync(file).size === operation.size;
    }
    case "unlink":
      return !existsSync(join(data, operation.path));
    case "open":
    case "folder":
      return existsSync(join(data, operation.path));
    case "rename":
      return !existsSync(join(data, operation.from));
    case "sync":
    case "send":
      return false;
  }
}

function inHex(text: string): string {
  return Buffer.from(text)
    .toString("hex")
    .replaceAll(/../g, (byte) => `\\x${byte}`);
}

function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll(String.raw`\x`, ""), "hex");
}

function unknown(text: string): Error {
  return new Error(`the trace has a call that the test does not know: ${text.slice(0, 400)}`);
}
