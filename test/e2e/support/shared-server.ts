/**
 * The server that tests share which need neither settings nor data nor a process of their own.
 * Each file names its buckets after itself; one that lists all buckets or follows all events starts its own server.
 */

import { inject } from "vitest";
import type { Addresses } from "./server.ts";

export const server: Addresses = inject("sharedServer");
