/** The cluster's key and the store's credentials: from files or the environment, never from the command line. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClusterError } from "./errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where the store's credentials are. A file is read again for each request, so it may be replaced while nodes run. */
export interface CredentialSource {
  /** Absolute path of the file; undefined if they are in the environment. */
  readonly file: string | undefined;
  readonly read: () => Credentials;
}

/** What the engine asks of a key, in bytes. */
const MIN_KEY_BYTES = 32;

/**
 * The key that the nodes share: of the file, or of KV_CLUSTER_KEY.
 * @throws {ClusterError} if there is none, or it is too short
 */
export function clusterKey(file: string | undefined, env: Environment): string {
  const where = file === undefined ? "KV_CLUSTER_KEY" : `--key-file ${file}`;
  const key = (file === undefined ? (env["KV_CLUSTER_KEY"] ?? "") : readSecret("--key-file", file)).trim();
  if (key === "") {
    throw new ClusterError(
      "cluster_key_missing",
      "The nodes need a key that only they know: set KV_CLUSTER_KEY, or name a file with --key-file. Make one with: openssl rand -hex 32",
    );
  }
  const bytes = Buffer.byteLength(key);
  if (bytes >= MIN_KEY_BYTES) return key;
  throw new ClusterError(
    "cluster_key_too_short",
    `${where} has ${bytes} bytes, and a cluster's key needs at least ${MIN_KEY_BYTES}. Make one with: openssl rand -hex 32`,
  );
}

/** Finds the store's credentials, and reads them once. @throws {ClusterError} if there are none */
export function credentialSource(file: string | undefined, env: Environment): CredentialSource {
  const path = file ?? (env["AWS_CREDENTIALS_FILE"] || undefined);
  const source: CredentialSource =
    path === undefined
      ? { file: undefined, read: () => credentialsOf(env, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") }
      : {
          file: resolve(path),
          read: () => credentialsOf(variablesIn(readSecret("--credentials", path)), path),
        };
  source.read();
  return source;
}

/** The engine's environment: the credentials, and no variable of the store that is not ours. */
export function engineEnvironment(
  { file, read }: CredentialSource,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(
    ([name]) => !name.startsWith("AWS_") && name !== "KV_CLUSTER_KEY",
  );
  const { accessKeyId, secretAccessKey, sessionToken } = read();
  const given: NodeJS.ProcessEnv =
    file === undefined
      ? { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
      : { AWS_CREDENTIALS_FILE: file };
  if (file === undefined && sessionToken !== undefined) given["AWS_SESSION_TOKEN"] = sessionToken;
  return { ...Object.fromEntries(others), ...given };
}

function credentialsOf(variables: Environment, where: string): Credentials {
  const accessKeyId = variables["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = variables["AWS_SECRET_ACCESS_KEY"] ?? "";
  const sessionToken = variables["AWS_SESSION_TOKEN"] ?? "";
  if (accessKeyId !== "" && secretAccessKey !== "")
    return { accessKeyId, secretAccessKey, ...(sessionToken !== "" && { sessionToken }) };
  throw new ClusterError(
    "cluster_credentials_missing",
    `There are no credentials for the store in ${where}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with such lines: --credentials FILE`,
  );
}

function variablesIn(text: string): Environment {
  const lines = text.matchAll(/^\s*(?:export\s+)?(AWS_[A-Z_]+)\s*=\s*"?([^"\n]*?)"?\s*$/gm);
  return Object.fromEntries([...lines].map(([, name = "", value = ""]) => [name, value]));
}

function readSecret(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ClusterError("cluster_option_invalid", `${option} ${path}: ${(error as Error).message}`);
  }
}
