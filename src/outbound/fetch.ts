import { Agent, fetch } from "undici";

import { type ProxyAddress, createConnector } from "./connector.ts";

export interface FetchOptions {
  /** In the words of the header `User-Agent`. */
  readonly userAgent: string;
  readonly proxy?: ProxyAddress | undefined;
  /** For a connection, in milliseconds. */
  readonly connectTimeoutMs?: number;
}

interface FetchRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect?: "manual";
  readonly signal?: AbortSignal;
  readonly body?: string;
}

/** Asks what is no event: a registry, or who gives out tokens. Like everybody's `fetch`, with our name and our way out. */
export type Fetch = (url: string, request: FetchRequest) => ReturnType<typeof fetch>;

export const createFetch = ({ userAgent, proxy, connectTimeoutMs = 5_000 }: FetchOptions): Fetch => {
  const dispatcher = new Agent({ connect: createConnector({ connectTimeoutMs, proxy }) });
  return (url, request) =>
    fetch(url, { ...request, headers: { "user-agent": userAgent, ...request.headers }, dispatcher });
};
