/** All attacks, in the order in which they run. */

import type { Attack } from "../attack.ts";
import { bodies } from "./bodies.ts";
import { feeds } from "./feeds.ts";
import { idempotent } from "./idempotent.ts";
import { strangers } from "./strangers.ts";
import { tiny } from "./tiny.ts";
import { unread } from "./unread.ts";
import { uploads } from "./uploads.ts";

export const attacks: readonly Attack[] = [
  ...strangers,
  ...unread,
  ...tiny,
  ...bodies,
  ...feeds,
  ...idempotent,
  ...uploads,
];
