import { Agent, fetch } from "undici";

import { type ProxyAddress, createConnector } from "./connector.ts";
import type { SendRequest } from "./json-response.ts";

export interface FetchOptions {
  /** The value of the header `User-Agent`. */
  readonly userAgent: string;
  readonly proxy?: ProxyAddress | undefined;
  /** For a connection, in milliseconds. */
  readonly connectTimeoutMs?: number;
}

/** `fetch` for all requests that are no events, such as to a schema registry or a token server: with our user agent and proxy. */
export const createFetch = ({ userAgent, proxy, connectTimeoutMs = 5_000 }: FetchOptions): SendRequest => {
  const dispatcher = new Agent({ connect: createConnector({ connectTimeoutMs, proxy }) });
  return (url, request) =>
    fetch(url, { ...request, headers: { "user-agent": userAgent, ...request.headers }, dispatcher });
};
