import { BlockList, isIP } from "node:net";

import { z } from "zod";

import { quote } from "../config-error.ts";
import { type Secret, createSecret } from "../secret.ts";
import { type ValueKind, mask, showAddress } from "./kinds.ts";

/** A proxy between the service and an address. */
export interface ProxyConfig {
  /** Scheme, host and port, without credentials. */
  readonly origin: string;
  /** The value of the header `Proxy-Authorization`. */
  readonly authorization?: Secret | undefined;
}

export interface ProxyVariables {
  readonly HTTPS_PROXY?: string | undefined;
  readonly HTTP_PROXY?: string | undefined;
  readonly NO_PROXY?: string | undefined;
}

/** The proxy for an address. Undefined if there is none, or if the text is no address. */
export const proxyFor = (variables: ProxyVariables, address: string): ProxyConfig | undefined => {
  if (!URL.canParse(address)) return undefined;
  const proxies = new Map([
    ["https:", variables.HTTPS_PROXY],
    ["http:", variables.HTTP_PROXY],
  ]);
  const proxy = proxies.get(new URL(address).protocol);
  if (proxy === undefined || isProxyBypassed(variables.NO_PROXY ?? "", address)) return undefined;
  const { origin, username, password } = new URL(proxy);
  if (username === "" && password === "") return { origin };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { origin, authorization: createSecret(`Basic ${Buffer.from(credentials).toString("base64")}`) };
};

const isProxyUrl = (address: string): boolean => {
  if (!URL.canParse(address) || /[\s?#]/.test(address)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(address);
  const isHttp = protocol === "http:" || protocol === "https:";
  return isHttp && hostname !== "" && pathname === "/" && [username, password].every(isDecodable);
};

const isDecodable = (part: string): boolean => !/%(?![0-9a-f]{2})/i.test(part);

/** Shows the whole text only if it has no room for credentials. */
const maskProxy = (text: string): string => {
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/)?[\w.-]*(?::\d*)?\/?$/i.test(text)) return quote(text);
  return text.includes("@") ? showAddress(text) : mask;
};

export const proxyUrl: ValueKind<string> = {
  schema: z.string().refine(isProxyUrl),
  want: "an http:// or https:// address, such as 'http://proxy:3128' or 'http://user:password@proxy:3128'",
  show: maskProxy,
};

interface ProxyTarget {
  readonly host: string;
  readonly port: string;
}

const targetOf = (address: string): ProxyTarget => {
  const { protocol, hostname, port } = new URL(address);
  // Neither a trailing dot nor the brackets of IPv6 are part of the name.
  const host = hostname.replace(/^\[(.+)\]$/, "$1").replace(/(?<=.)\.$/, "");
  return { host, port: port || (protocol === "https:" ? "443" : "80") };
};

const isProxyBypassed = (list: string, address: string): boolean => {
  const target = targetOf(address);
  return list.split(/[,\s]+/).some((entry) => entry !== "" && matchesNoProxyEntry(entry.toLowerCase(), target));
};

/**
 * Matches an entry as curl does (https://curl.se/docs/manpage.html#--noproxy) and as undici does. It looks up no name, so a
 * network such as `10.0.0.0/8` matches numeric addresses only.
 */
const matchesNoProxyEntry = (entry: string, { host, port }: ProxyTarget): boolean => {
  if (entry.includes("/")) return isInNetwork(entry, host);
  const { name, port: requiredPort } = parseNoProxyEntry(entry);
  if (requiredPort !== undefined && requiredPort !== port) return false;
  if (name === "*") return true;
  const suffix = name.replace(/^\*?\./, "").replace(/(?<=.)\.$/, "");
  return host.endsWith(`.${suffix}`) || (host === suffix && !name.startsWith("*"));
};

interface NoProxyEntry {
  readonly name: string;
  readonly port?: string | undefined;
}

/** Parses `host`, `host:port`, `::1`, `[::1]` or `[::1]:port`. */
const parseNoProxyEntry = (entry: string): NoProxyEntry => {
  const [, bracketedHost, bracketedPort] = /^\[(.+)\](?::(\d+))?$/.exec(entry) ?? [];
  if (bracketedHost !== undefined) return { name: bracketedHost, port: bracketedPort };
  const [, name, port] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  return name === undefined ? { name: entry } : { name, port };
};

const ipFamilies = { 4: { name: "ipv4", bits: 32 }, 6: { name: "ipv6", bits: 128 } } as const;

const isInNetwork = (network: string, host: string): boolean => {
  const [start = "", length = ""] = network.split("/");
  const version = isIP(start);
  if ((version !== 4 && version !== 6) || isIP(host) !== version) return false;
  const { name, bits } = ipFamilies[version];
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return false;
  const list = new BlockList();
  list.addSubnet(start, Number(length), name);
  return list.check(host, name);
};
