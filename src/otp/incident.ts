/**
 * Incidents: one id for all that is logged about one failed request, wherever that is. Who logs a failure first makes the
 * id, and it goes back with the answer: in a cluster from the node that owns the bucket to the one that was asked, and in
 * the error's detail to the caller. A request that goes well has none, and so costs nothing.
 */

/** Logs a failure. @param incident the id, if it was logged elsewhere before @returns the id */
export function logIncident(what: string, error: unknown, incident: string = crypto.randomUUID()): string {
  console.error(`${what} (incident ${incident})`, error);
  return incident;
}
