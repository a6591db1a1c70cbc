/** The service's messages on a session: one response for each request. */

import { checkShape, parseAnswer, unexpectedAnswer } from "./answers.ts";
import { errorOf, type KvError } from "./errors.ts";
import { FAILURE } from "./wire.ts";

interface AnswerWire {
  readonly id: number;
  readonly ok?: unknown;
  readonly error?: unknown;
}

/** The response to one request. */
export type Answer = { readonly id: number } & ({ readonly ok: unknown } | { readonly error: KvError });

/** @throws {KvError} `unexpected_answer` */
export function parseAnswers(text: string): Answer[] {
  const json = parseAnswer(text);
  if (!Array.isArray(json)) throw unexpectedAnswer("it is not a JSON array.");
  return json.map((member: unknown) => {
    const answer = checkShape<AnswerWire>(member, { id: "number" });
    const { id, ok, error } = answer;
    if ("ok" in answer) return { id, ok };
    return { id, error: errorOf(checkShape(error, FAILURE)) };
  });
}
