/** Types for the parts of the package autocannon that are used here; it has none. */
declare module "autocannon" {
  export interface AutocannonRequest {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }

  export interface AutocannonClient {
    /** Prepares the bytes of these requests, which the client then sends in rotation. It changes the objects. */
    setRequests(requests: AutocannonRequest[]): void;
  }

  export interface AutocannonOptions {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds between looks at whether the time is over. */
    readonly sampleInt: number;
    /** Seconds to wait for a response. */
    readonly timeout: number;
    readonly setupClient: (client: AutocannonClient) => void;
  }

  export interface AutocannonResult {
    readonly errors: number;
    readonly timeouts: number;
    readonly non2xx: number;
    readonly requests: { readonly sent: number; readonly total: number };
  }

  export interface AutocannonRun extends Promise<AutocannonResult> {
    on(
      event: "response",
      listener: (client: AutocannonClient, status: number, bytes: number, milliseconds: number) => void,
    ): void;
  }

  export default function autocannon(options: AutocannonOptions): AutocannonRun;
}
