/** One suite for the text protocol, over every transport, under one partition and sixteen. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { transports } from "../e2e/support/transports.ts";

/** What is sent, and the bytes that come back. `B` stands for a bucket of the test's own. */
type Step = readonly [sent: string, reply: string];

const conversations: Readonly<Record<string, readonly Step[]>> = {
  "the guide's session": [
    ["CREATE B\r\n", "OK\r\n"],
    ["PUT B milk 1\r\n", "OK\r\n"],
    ["PUT B eggs 3\r\n", "OK\r\n"],
    ["GET B milk\r\n", "1\r\nOK\r\n"],
    ["DELETE B eggs\r\n", "OK\r\n"],
    ["GET B eggs\r\n", "\r\nOK\r\n"],
  ],
  // KVServerTest of the guide.
  "server interaction": [
    ["UNKNOWN B\r\n", "UNKNOWN COMMAND\r\n"],
    ["GET B eggs\r\n", "NOT FOUND\r\n"],
    ["CREATE B\r\n", "OK\r\n"],
    ["PUT B eggs 3\r\n", "OK\r\n"],
    ["GET B eggs\r\n", "3\r\nOK\r\n"],
    ["DELETE B eggs\r\n", "OK\r\n"],
    ["GET B eggs\r\n", "\r\nOK\r\n"],
  ],
  "unknown command": [
    ["WHATEVER\r\n", "UNKNOWN COMMAND\r\n"],
    ["GET B\r\n", "UNKNOWN COMMAND\r\n"],
    ["\r\n", "UNKNOWN COMMAND\r\n"],
    ["get B milk\r\n", "UNKNOWN COMMAND\r\n"],
  ],
  "unknown bucket": [
    ["GET B milk\r\n", "NOT FOUND\r\n"],
    ["PUT B milk 1\r\n", "NOT FOUND\r\n"],
    ["DELETE B milk\r\n", "NOT FOUND\r\n"],
    ["KEYS B\r\n", "NOT FOUND\r\n"],
    ["INCR B milk\r\n", "NOT FOUND\r\n"],
    ["LOOKUP B\r\n", "NOT FOUND\r\n"],
    ["STOP B\r\n", "NOT FOUND\r\n"],
  ],
  "create, the second time, and delete of what is not there": [
    ["CREATE B\n", "OK\r\n"],
    ["PUT B milk 1\n", "OK\r\n"],
    ["CREATE B\n", "OK\r\n"],
    ["GET B milk\n", "1\r\nOK\r\n"],
    ["DELETE B nothing\n", "OK\r\n"],
  ],
  "stop and create again": [
    ["CREATE B\n", "OK\r\n"],
    ["PUT B milk 1\n", "OK\r\n"],
    ["STOP B\n", "OK\r\n"],
    ["GET B milk\n", "NOT FOUND\r\n"],
    ["CREATE B\n", "OK\r\n"],
    ["GET B milk\n", "\r\nOK\r\n"],
  ],
  "exit signals: a permanent bucket comes back with what it kept": [
    ["CREATE B\n", "OK\r\n"],
    ["PUT B milk 1\n", "OK\r\n"],
    ["EXIT B normal\n", "OK\r\n"],
    ["EXIT B kill\n", "OK\r\n"],
    ["GET B milk\n", "1\r\nOK\r\n"],
    ['EXIT B "out of stock"\n', "OK\r\n"],
    ["GET B milk\n", "1\r\nOK\r\n"],
    ["EXIT B\n", "UNKNOWN COMMAND\r\n"],
    ["STOP B\n", "OK\r\n"],
    ["EXIT B kill\n", "NOT FOUND\r\n"],
  ],
  "a value that is read and deleted at once": [
    ["CREATE B\n", "OK\r\n"],
    ["PUT B ticket 7\n", "OK\r\n"],
    ["GETDEL B ticket\nGETDEL B ticket\n", "7\r\nOK\r\n\r\nOK\r\n"],
    ["GETDEL B\n", "UNKNOWN COMMAND\r\n"],
    ["KEYS B\n", "OK\r\n"],
  ],
  "keys and counters": [
    ["CREATE B\n", "OK\r\n"],
    ["INCR B n\n", "1\r\nOK\r\n"],
    ["INCR B n 41\n", "42\r\nOK\r\n"],
    ["INCR B n -50\n", "-8\r\nOK\r\n"],
    ["PUT B a 1\nPUT B ab 1\nPUT B b 1\n", "OK\r\nOK\r\nOK\r\n"],
    ["KEYS B\n", "a\r\nab\r\nb\r\nn\r\nOK\r\n"],
    ["KEYS B a\n", "a\r\nab\r\nOK\r\n"],
    ["KEYS B a a\n", "ab\r\nOK\r\n"],
    ['KEYS B "" ab\n', "b\r\nn\r\nOK\r\n"],
  ],
  "buckets by prefix": [
    ["CREATE B-1\nCREATE B-3\nCREATE B-2\n", "OK\r\nOK\r\nOK\r\n"],
    ["BUCKETS B-\n", "B-1\r\nB-2\r\nB-3\r\nOK\r\n"],
    ["BUCKETS B- B-1\n", "B-2\r\nB-3\r\nOK\r\n"],
  ],
  "quoted words": [
    ["CREATE B\n", "OK\r\n"],
    ['PUT B note "two words"\n', "OK\r\n"],
    ["GET B note\n", "two words\r\nOK\r\n"],
    ['PUT B "a key" "line\\nbreak"\n', "OK\r\n"],
    ['GET B "a key"\n', '"line\\nbreak"\r\nOK\r\n'],
    ["KEYS B\n", '"a key"\r\nnote\r\nOK\r\n'],
    ['PUT B bytes base64:"AP8="\n', "OK\r\n"],
    ["GET B bytes\n", 'base64:"AP8="\r\nOK\r\n'],
    ["PUT B ünïcode 日本\nGET B ünïcode\n", "OK\r\n日本\r\nOK\r\n"],
  ],
  "many commands at once, for several buckets": [
    ["CREATE B-x\nCREATE B-y\n", "OK\r\nOK\r\n"],
    [
      "PUT B-x k 1\nPUT B-y k 2\nGET B-x k\nGET B-none k\nGET B-y k\nBAD\nSTOP B-x\nGET B-x k\n",
      "OK\r\nOK\r\n1\r\nOK\r\nNOT FOUND\r\n2\r\nOK\r\nUNKNOWN COMMAND\r\nOK\r\nNOT FOUND\r\n",
    ],
  ],
  "PING, HELP and QUIT": [
    ["PING\n", "PONG\r\n"],
    [
      "HELP\n",
      `${["CREATE bucket", "PUT bucket key value", "GET bucket key", "DELETE bucket key", "GETDEL bucket key", "INCR bucket key [by]", "KEYS bucket [prefix [after]]", "SUBSCRIBE bucket", "LOOKUP bucket", "MONITOR bucket", "STOP bucket", "EXIT bucket reason", "BUCKETS [prefix [after]]", "AUTH token", "PING", "QUIT", "HELP", "OK"].join("\r\n")}\r\n`,
    ],
    ["QUIT\n", "OK\r\n"],
  ],
};

describe.each([1, 16])("the text protocol, with %i partitions,", (partitions) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ environment: { KV_PARTITIONS: String(partitions) } });
  });
  afterAll(() => server.stop());

  describe.each(transports)("over $name", ({ name: transport, open }) => {
    it.each(Object.entries(conversations))("%s", async (title, steps) => {
      const bucket = `${transport}/${title}`.replaceAll(/[^A-Za-z]+/g, "-");
      const conversation = await open(server);
      const mine = (text: string): string => text.replaceAll(/\bB\b/g, bucket);
      for (const [sent, reply] of steps) {
        expect(await conversation.ask(mine(sent), reply.split("\n").length - 1)).toBe(mine(reply));
      }
      conversation.close();
    });

    it("LOOKUP gives the id of the bucket's object", async () => {
      const conversation = await open(server);
      const bucket = `lookup-${transport.replaceAll(/[^A-Za-z]/g, "")}`;
      await conversation.ask(`CREATE ${bucket}\n`, 1);
      expect(await conversation.ask(`LOOKUP ${bucket}\n`, 2)).toMatch(/^[0-9a-f]{64}\r\nOK\r\n$/);
      conversation.close();
    });
  });
});
