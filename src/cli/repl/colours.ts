/** Colours for replies at a terminal. */

export type Paint = (lines: string) => string;

const RED = 31;
const GREEN = 32;
const CYAN = 36;

/** Follows https://no-color.org. */
export function wantsColour(isTerminal: boolean | undefined, { NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return isTerminal === true && !NO_COLOR && TERM !== "dumb";
}

export const plain: Paint = (lines) => lines;

/** Replies to a line: the last line is green for success and red for an error. */
export const replies: Paint = (lines) =>
  lines.replaceAll(
    /^(?:(OK|PONG)|NOT FOUND|UNKNOWN COMMAND|ERROR .*)$(?=\s*$(?![^]))/gm,
    (line, well?: string) => painted(line, well === undefined ? RED : GREEN),
  );

/** Lines of a subscription or monitor, which arrive without a request. */
export const feed: Paint = (lines) => lines.replaceAll(/^.+$/gm, (line) => painted(line, CYAN));

function painted(text: string, colour: number): string {
  return `\x1b[${colour}m${text}\x1b[39m`;
}
