/** SQLite in Node, which has it since version 22.13. With an older Node, the server does without it. */

/** The class of a database; undefined on an older Node. */
export const sqlite = await import("node:sqlite").then(
  ({ DatabaseSync }) => DatabaseSync,
  () => undefined,
);
