/** How long an attack runs, and what a server must withstand. */

/** Longest run of one attack, in milliseconds. */
export const ATTACK_MS = 10_000;

/** Upper bounds for a pass: the neighbour's p99 latency in milliseconds, and the engine's peak memory in megabytes. */
export const BOUNDS = { p99: 250, memory: 500 } as const;

/** Megabytes of the engine's memory at which the harness kills the server. */
export const KILL_AT_MEGABYTES = 4_096;
