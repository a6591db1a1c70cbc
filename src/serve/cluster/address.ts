/** Addresses for the traffic between nodes, which the engine does not encrypt: they must be private. */

import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import type { NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { ClusterError } from "./errors.ts";

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Private (RFC 1918, RFC 4193), loopback, link-local, and shared (RFC 6598), as the engine has it. */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  PRIVATE.addSubnet(net, prefix);
for (const [net, prefix] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  PRIVATE.addSubnet(net, prefix, "ipv6");

/** Addresses that stand for all interfaces. */
const WILDCARDS = new Set(["0.0.0.0", "::"]);

/** An address in its usual spelling, as `0.0.0.0` for `0` and `::1` for `0:0:0:0:0:0:0:1`; a name as it is. */
export function canonical(host: string): string {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}/`;
  return URL.canParse(url) ? new URL(url).hostname.replaceAll(/^\[|\]$/g, "") : host;
}

/** Whether a node that listens here is reachable on every interface of its machine. */
export function isWildcard({ host }: HostPort): boolean {
  return WILDCARDS.has(host);
}

/** Reads `HOST:PORT`, with brackets around an IPv6 address. @throws {ClusterError} */
export function parseHostPort(option: string, text: string): HostPort {
  const [, host6, host = host6 ?? "", port = ""] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  if (host !== "" && Number(port) <= 65_535) return { host: canonical(host), port: Number(port) };
  throw new ClusterError(
    "cluster_option_invalid",
    `${option} ${text}: give HOST:PORT, such as 10.0.0.5:7000 or [fd00::5]:7000.`,
  );
}

/**
 * Refuses an address that other networks can reach. A name is looked up, and all its addresses have to be private; a wildcard
 * stands for all addresses of this machine.
 * @throws {ClusterError} `cluster_address_public`, or `cluster_address_unknown` for a name without an address
 */
export async function checkPrivate(
  option: string,
  { host }: HostPort,
  interfaces: typeof networkInterfaces,
): Promise<void> {
  const named = isIP(host) === 0 ? await addressesOf(option, host) : [host];
  const addresses = named.flatMap((each) =>
    WILDCARDS.has(each) ? ownAddresses(option, each, interfaces) : [each],
  );
  const found = addresses.find((each) => !PRIVATE.check(each, isIPv6(each) ? "ipv6" : "ipv4"));
  if (found === undefined) return;
  throw new ClusterError(
    "cluster_address_public",
    `${option}: ${host === found ? host : `${host}, which is ${found},`} is a public address. The traffic between nodes is not encrypted, and who reads it can read and change all data: use an address of a private network (a VPC, WireGuard, Tailscale).`,
  );
}

/** The addresses at which a socket of this wildcard is reached. One for IPv6 takes IPv4, too. */
function ownAddresses(option: string, wildcard: string, interfaces: typeof networkInterfaces): string[] {
  let all: NetworkInterfaceInfo[];
  try {
    all = Object.values(interfaces()).flatMap((each) => each ?? []);
  } catch (error) {
    throw new ClusterError(
      "cluster_address_unknown",
      `${option} ${wildcard}: this machine does not say which addresses it has (${(error as Error).message}). Give the address to listen at.`,
    );
  }
  return all.filter(({ family }) => wildcard === "::" || family === "IPv4").map(({ address }) => address);
}

async function addressesOf(option: string, name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ClusterError(
      "cluster_address_unknown",
      `${option}: ${name} has no address here: ${(error as Error).message}. Give an IP address, or a name that this machine and the other nodes can look up.`,
    );
  }
}
