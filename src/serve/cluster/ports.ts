/** The ports of the nodes of one process: they follow on each other, and none may be another's. */

import { isIPv4 } from "node:net";
import { checkPort } from "../serve.ts";
import { canonical, type HostPort } from "./address.ts";
import { ClusterError } from "./errors.ts";

const MAX_PORT = 65_535;

interface Listener extends HostPort {
  readonly option: string;
  readonly node: number;
}

/** Where nodes listen. */
export interface PortOptions {
  /** Nodes in this process. Their ports follow on each other. */
  readonly nodes: number;
  readonly host: string;
  /** Of the first node; 0 for any free ports. */
  readonly port: number;
  /** Of the first node; undefined for no TCP. */
  readonly tcpPort: number | undefined;
  /** Where nodes listen for each other; of the first node. */
  readonly peer: HostPort;
  readonly adminHost: string;
  /** Of the first node, for `/ready` and `/metrics`. */
  readonly adminPort: number;
}

/** The nth of addresses whose ports follow on each other; port 0 stays "any free port". */
export function nth({ host, port }: HostPort, number: number): HostPort {
  return { host, port: port === 0 ? 0 : port + number - 1 };
}

/** Refuses ports that several are to listen on, or that are none. @throws {ClusterError} `cluster_option_invalid` */
export function refuseOverlaps(options: PortOptions): void {
  const all = listenersOf(options);
  for (const [index, one] of all.entries()) {
    const { option, node, port } = one;
    if (port > MAX_PORT)
      throw new ClusterError(
        "cluster_option_invalid",
        `${option}: the port of node ${node} would be ${port}, and ${MAX_PORT} is the last. Choose a lower one.`,
      );
    const other = all.slice(0, index).find((each) => overlap(each, one));
    if (other === undefined) continue;
    throw new ClusterError(
      "cluster_option_invalid",
      options.nodes === 1
        ? `${other.option} and ${option} are both ${port}. Choose another one for one of them.`
        : `Port ${port} would be that of ${other.option} of node ${other.node} and of ${option} of node ${node}: ports of several nodes follow on each other. Choose others that are further apart.`,
    );
  }
}

/**
 * Refuses ports that are in use, and addresses that this machine does not have, before anything is started.
 * @throws {ClusterError} `cluster_port_unavailable`
 */
export async function checkPorts(options: PortOptions): Promise<void> {
  for (const { option, host, port } of listenersOf(options)) {
    try {
      await checkPort(option === "--peer" ? "--peer HOST:N, not" : option, host, port);
    } catch (error) {
      throw new ClusterError("cluster_port_unavailable", (error as Error).message);
    }
  }
}

function listenersOf({ nodes, host, port, tcpPort, adminHost, adminPort, peer }: PortOptions): Listener[] {
  const first: (Omit<Listener, "node"> | undefined)[] = [
    { option: "--port", host, port },
    tcpPort === undefined ? undefined : { option: "--tcp-port", host, port: tcpPort },
    { option: "--admin-port", host: adminHost, port: adminPort },
    { option: "--peer", ...peer },
  ];
  return Array.from({ length: nodes }, (_, index) =>
    first.flatMap((one) =>
      one === undefined ? [] : [{ option: one.option, node: index + 1, ...nth(one, index + 1) }],
    ),
  ).flat();
}

function overlap(one: HostPort, other: HostPort): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const others = addressesOf(other.host);
  return addressesOf(one.host).some((each) => others.some((its) => covers(each, its) || covers(its, each)));
}

const addressesOf = (host: string): string[] =>
  host === "localhost" ? ["127.0.0.1", "::1"] : [canonical(host)];

/** Whether a socket at one address is in the way of one at the other. A wildcard for IPv6 takes IPv4, too. */
const covers = (one: string, other: string): boolean =>
  one === other || one === "::" || (one === "0.0.0.0" && isIPv4(other));
