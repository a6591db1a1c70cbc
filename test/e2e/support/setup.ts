/** Before each file of the end-to-end tests. Files share a process, so what is here may happen again. */

import { fetchChecked } from "./checked-fetch.ts";

globalThis.fetch = fetchChecked;
