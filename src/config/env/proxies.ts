import { BlockList, isIP } from "node:net";

import { z } from "zod";

import { quote } from "../config-error.ts";
import { type Secret, createSecret } from "../secret.ts";
import { type Kind, mask, showAddress } from "./kinds.ts";

/** A proxy that calls have to go through. */
export interface ProxyConfig {
  /** Scheme, host and port; credentials are apart. */
  readonly origin: string;
  /** What it wants to hear in `Proxy-Authorization`. */
  readonly authorization?: Secret | undefined;
}

export interface ProxyVariables {
  readonly HTTPS_PROXY?: string | undefined;
  readonly HTTP_PROXY?: string | undefined;
  readonly NO_PROXY?: string | undefined;
}

/** The proxy on the way to an address, if there is one; none to what is no address. Addresses do not change, so nobody has to ask later. */
export const proxyFor = (variables: ProxyVariables, address: string): ProxyConfig | undefined => {
  if (!URL.canParse(address)) return undefined;
  const proxies = new Map([
    ["https:", variables.HTTPS_PROXY],
    ["http:", variables.HTTP_PROXY],
  ]);
  const proxy = proxies.get(new URL(address).protocol);
  if (proxy === undefined || isExcepted(variables.NO_PROXY ?? "", address)) return undefined;
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

/** Shown whole only where there is no room for credentials. */
const showProxy = (text: string): string => {
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/)?[\w.-]*(?::\d*)?\/?$/i.test(text)) return quote(text);
  return text.includes("@") ? showAddress(text) : mask;
};

export const proxyUrl: Kind<string> = {
  schema: z.string().refine(isProxyUrl),
  want: "an http:// or https:// address, such as 'http://proxy:3128' or 'http://user:password@proxy:3128'",
  show: showProxy,
};

interface Target {
  readonly host: string;
  readonly port: string;
}

const targetOf = (address: string): Target => {
  const { protocol, hostname, port } = new URL(address);
  // A dot at the end only says that the name is whole; brackets only fence the colons of IPv6.
  const host = hostname.replace(/^\[(.+)\]$/, "$1").replace(/(?<=.)\.$/, "");
  return { host, port: port || (protocol === "https:" ? "443" : "80") };
};

const isExcepted = (list: string, address: string): boolean => {
  const target = targetOf(address);
  return list.split(/[,\s]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), target));
};

/** As undici and curl understand an entry. Names are not looked up: a network (`10.0.0.0/8`) is only for addresses that are numbers. */
const matches = (entry: string, { host, port }: Target): boolean => {
  if (entry.includes("/")) return isInNetwork(entry, host);
  const { name, onlyPort } = partsOf(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  if (name === "*") return true;
  const suffix = name.replace(/^\*?\./, "").replace(/(?<=.)\.$/, "");
  return host.endsWith(`.${suffix}`) || (host === suffix && !name.startsWith("*"));
};

/** `host`, `host:port`, `::1`, `[::1]` or `[::1]:port`. */
const partsOf = (entry: string): { name: string; onlyPort?: string | undefined } => {
  const [, inBrackets, itsPort] = /^\[(.+)\](?::(\d+))?$/.exec(entry) ?? [];
  if (inBrackets !== undefined) return { name: inBrackets, onlyPort: itsPort };
  const [, name, onlyPort] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  return name === undefined ? { name: entry } : { name, onlyPort };
};

const families = { 4: { name: "ipv4", bits: 32 }, 6: { name: "ipv6", bits: 128 } } as const;

const isInNetwork = (network: string, host: string): boolean => {
  const [start = "", length = ""] = network.split("/");
  const version = isIP(start);
  if ((version !== 4 && version !== 6) || isIP(host) !== version) return false;
  const { name, bits } = families[version];
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return false;
  const list = new BlockList();
  list.addSubnet(start, Number(length), name);
  return list.check(host, name);
};
