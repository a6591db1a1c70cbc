/** Attack: very slow uploads. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { openText } from "../text-connection.ts";
import { BUCKET, MEBIBYTE, store, tally } from "./stored.ts";

const UPLOADS = 200;
const UPLOAD_BYTES = 25 * MEBIBYTE;
const SECONDS = 7;

export const uploads: readonly Attack[] = [
  {
    name: "slow-uploads",
    about: "200 connections announce a value of 25 MiB and then send one byte per second.",
    prepare: (attacker) => store(attacker, "k", "1"),
    run: uploadSlowly,
  },
];

async function uploadSlowly(attacker: Attacker): Promise<string> {
  const connections = await Promise.all(
    Array.from({ length: UPLOADS }, () => openText(attacker, attacker.server.http)),
  );
  await Promise.all(
    connections.map((connection, at) =>
      connection.send(
        `PUT ${BUCKET}/keys/slow-${at} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`,
      ),
    ),
  );
  for (let second = 0; second < SECONDS; second += 1) {
    await Promise.all(connections.map((connection) => connection.send("x")));
    await attacker.wait(1_000);
  }
  const newClient = await attacker.newClient();
  return `${tally(connections.map((connection) => connection.ending()))}; ${newClient}`;
}
