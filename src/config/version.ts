/** The version of the service, from package.json. */

import { version } from "../../package.json";

/** For example `1.2.3`. */
export const VERSION: string = version;
