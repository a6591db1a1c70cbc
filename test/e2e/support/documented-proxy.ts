/** nginx and Caddy in front of a server, with the configurations that docs/proxies.md shows. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { blocks } from "./documents.ts";
import { temporaryFolder, type Addresses } from "./server.ts";

export interface DocumentedProxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a program in front of a server, and waits until it listens. */
type Start = (program: string, server: Addresses) => Promise<DocumentedProxy>;

interface Program {
  readonly name: string;
  readonly file: string;
  readonly start: Start;
}

const PROGRAMS: readonly Program[] = [
  { name: "nginx", file: "nginx", start: startNginx },
  { name: "Caddy", file: "caddy", start: startCaddy },
];

/** Folders for servers, which the PATH of an ordinary user often lacks. */
const SERVER_FOLDERS = ["/usr/local/sbin", "/usr/sbin"];

/** The proxies that this machine has. */
export const INSTALLED = PROGRAMS.flatMap(({ name, file, start }) => {
  const program = find(file);
  if (program === undefined) return [];
  return [{ name, start: (server: Addresses) => start(program, server) }];
});

/** The names of those that it does not have. */
export const MISSING = PROGRAMS.map(({ name }) => name).filter(
  (name) => !INSTALLED.some((proxy) => proxy.name === name),
);

function find(file: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SERVER_FOLDERS];
  return folders
    .map((folder) => join(folder, file))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function startNginx(program: string, server: Addresses): Promise<DocumentedProxy> {
  const port = await freePort();
  const site = await documented("nginx", {
    "listen 443 ssl;": `listen 127.0.0.1:${port};`,
    // Without TLS: a certificate is all that is missing.
    "ssl_certificate     /etc/ssl/kv.example/fullchain.pem;": "",
    "ssl_certificate_key /etc/ssl/kv.example/privkey.pem;": "",
    "127.0.0.1:8787": `127.0.0.1:${server.httpPort}`,
  });
  const folder = temporaryFolder();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${name};`,
  );
  // As Debian's nginx.conf has it, where it matters.
  const config = `
    daemon off;
    pid nginx.pid;
    error_log stderr notice;
    ${process.getuid?.() === 0 ? `user ${userInfo().username};` : ""}
    events {}
    http { access_log off; gzip on; ${temporary.join(" ")} ${site} }`;
  writeFileSync(join(folder.path, "nginx.conf"), config);
  const command = [program, "-p", `${folder.path}/`, "-e", "stderr", "-c", "nginx.conf"];
  return run(command, folder, port, "start worker process ");
}

async function startCaddy(program: string, server: Addresses): Promise<DocumentedProxy> {
  const port = await freePort();
  const site = await documented("caddyfile", {
    "kv.example {": `http://127.0.0.1:${port} {`,
    "127.0.0.1:8787": `127.0.0.1:${server.httpPort}`,
  });
  const folder = temporaryFolder();
  const config = join(folder.path, "Caddyfile");
  writeFileSync(config, `{\n\tadmin off\n}\n${site}`);
  const command = [program, "run", "--adapter", "caddyfile", "--config", config];
  return run(command, folder, port, "serving initial configuration");
}

/** The configuration that the page shows, with the addresses of this test. @throws if the page has other addresses */
async function documented(language: string, changes: Readonly<Record<string, string>>): Promise<string> {
  let [config = ""] = await blocks("docs/proxies.md", language);
  for (const [text, replacement] of Object.entries(changes)) {
    if (!config.includes(text)) throw new Error(`docs/proxies.md: the ${language} block has no ${text}`);
    config = config.replaceAll(text, replacement);
  }
  return config;
}

/** @param ready what it prints once it listens */
async function run(
  [program = "", ...args]: readonly string[],
  folder: ReturnType<typeof temporaryFolder>,
  port: number,
  ready: string,
): Promise<DocumentedProxy> {
  const home = join(folder.path, "home");
  mkdirSync(home);
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home },
  });
  const ended = once(child, "exit");
  const printed: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${program} ended: ${printed.join("\n")}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      printed.push(line);
      if (line.includes(ready)) resolve();
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await ended;
      await folder.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
