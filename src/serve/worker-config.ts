/** What the local server runs: the Worker's code and settings. */

/** The part of a Worker's configuration that the local server uses. */
export interface WorkerConfig {
  readonly compatibilityDate: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Binding names of the Durable Object namespaces, with their class names. All are SQLite-backed. */
  readonly objects: Readonly<Record<string, string>>;
}

/** The deployed Worker, with the entry points that a local server needs. */
export interface LocalWorker {
  readonly config: WorkerConfig;
  /** The code: one ES module. */
  code(): Promise<string>;
}
