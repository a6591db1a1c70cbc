/** Where something is cut, as a share of the whole. */

import fc from "fast-check";

const STEPS = 1_000;

/** Evenly: random doubles are nearly all close to 0. */
export const cut: fc.Arbitrary<number> = fc.nat({ max: STEPS }).map((step) => step / STEPS);
