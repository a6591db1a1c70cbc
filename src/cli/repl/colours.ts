/** Replies in colour, where somebody looks at them. */

export type Paint = (lines: string) => string;

const RED = 31;
const GREEN = 32;
const CYAN = 36;

/** As https://no-color.org has it. */
export function wantsColour(isTerminal: boolean | undefined, { NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return isTerminal === true && !NO_COLOR && TERM !== "dumb";
}

export const plain: Paint = (lines) => lines;

/** What was asked for: whether it went well is the last line. */
export const replies: Paint = (lines) =>
  lines.replaceAll(
    /^(?:(OK|PONG)|NOT FOUND|UNKNOWN COMMAND|ERROR .*)$(?=\s*$(?![^]))/gm,
    (line, well?: string) => painted(line, well === undefined ? RED : GREEN),
  );

/** What was subscribed to. */
export const feed: Paint = (lines) => lines.replaceAll(/^.+$/gm, (line) => painted(line, CYAN));

function painted(text: string, colour: number): string {
  return `\x1b[${colour}m${text}\x1b[39m`;
}
