import { Client, buildConnector } from "undici";

import { readUserAgent } from "./user-agent.ts";

type Connector = buildConnector.connector;
type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

export interface ProxyAddress {
  /** Scheme, host and port, without credentials. */
  readonly origin: string;
  /** Reads the value of the header `Proxy-Authorization`. */
  readonly authorization?: { readonly read: () => string } | undefined;
}

export interface ConnectorOptions {
  /** For a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  readonly proxy?: ProxyAddress | undefined;
}

/** The proxy failed; the message is a sentence with its host. The error has no `code`, because undici retries some codes. */
export class ProxyError extends Error {}

/** The tunnel gets only a part of the time of a call: if the proxy hangs, the error names the proxy and not the target. */
const proxyTimeoutShare = 0.8;

/**
 * Creates the connector of undici's clients: direct, or through a proxy by CONNECT
 * (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6), also for `http:`. If a proxy forwarded requests instead, its own
 * refusals would look like those of the target. undici's ProxyAgent is not used: it hides the proxy's status in a text, and has
 * pools of its own.
 */
export const createConnector = ({ connectTimeoutMs, proxy }: ConnectorOptions): Connector => {
  // One connector for all connections: it remembers the TLS sessions.
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false });
  if (!proxy) return connect;
  const tunnelTimeoutMs = Math.ceil(connectTimeoutMs * proxyTimeoutShare);
  const connectToProxy = buildConnector({ timeout: tunnelTimeoutMs, allowH2: false });
  const userAgent = readUserAgent();
  return (options, onConnection) => {
    const port = options.port || (options.protocol === "https:" ? "443" : "80");
    const authority = `${urlHostOf(options.hostname)}:${port}`;
    const tunnel = openTunnel({ proxy, authority, userAgent, tunnelTimeoutMs, connect: connectToProxy });
    tunnel.then(
      (socket) => {
        if (options.protocol === "https:") connect({ ...options, httpSocket: socket }, onConnection);
        else onConnection(null, socket);
      },
      (error: Error) => onConnection(error, null),
    );
  };
};

/** undici removes the brackets of an IPv6 address. */
const urlHostOf = (hostname: string): string => (hostname.includes(":") ? `[${hostname}]` : hostname);

interface TunnelOptions {
  readonly proxy: ProxyAddress;
  /** Host and port of the target. */
  readonly authority: string;
  readonly userAgent: string;
  readonly tunnelTimeoutMs: number;
  readonly connect: Connector;
}

const openTunnel = async ({
  proxy,
  authority,
  userAgent,
  tunnelTimeoutMs,
  connect,
}: TunnelOptions): Promise<Socket> => {
  const client = new Client(proxy.origin, { connect });
  const signal = AbortSignal.timeout(tunnelTimeoutMs);
  const authorization = proxy.authorization?.read();
  const headers = {
    host: authority,
    "user-agent": userAgent,
    "proxy-connection": "keep-alive",
    ...(authorization !== undefined && { "proxy-authorization": authorization }),
  };
  const { host } = new URL(proxy.origin);
  // Without `reset: false` undici sends `connection: close`, and some proxies then close the tunnel after the first response.
  const request = { path: authority, headers, signal, reset: false };
  const { statusCode, socket } = await client.connect(request).catch((error: unknown) => {
    void client.destroy();
    const isTimedOut = signal.aborted || codeOf(error) === "UND_ERR_CONNECT_TIMEOUT";
    const reason = isTimedOut ? `no answer within ${tunnelTimeoutMs} ms` : codeOf(error);
    throw new ProxyError(`Cannot reach ${authority} through the proxy ${host} (${reason})`, { cause: error });
  });
  // The type is only `Duplex`, but the connector above makes `net` and `tls` sockets.
  if (isSuccess(statusCode)) return socket as Socket;
  socket.on("error", () => {}).destroy();
  throw new ProxyError(
    proxyRefusalText({ host, authority, status: statusCode, hasCredentials: authorization !== undefined }),
  );
};

const isSuccess = (status: number): boolean => status >= 200 && status <= 299;

interface ProxyRefusal {
  readonly host: string;
  readonly authority: string;
  readonly status: number;
  readonly hasCredentials: boolean;
}

const proxyRefusalText = ({ host, authority, status, hasCredentials }: ProxyRefusal): string => {
  if (status === 407)
    return hasCredentials
      ? `The proxy ${host} refuses the credentials (407)`
      : `The proxy ${host} requires credentials (407)`;
  if (status >= 500) return `The proxy ${host} cannot reach ${authority} (${status})`;
  return `The proxy ${host} refuses to connect to ${authority} (${status})`;
};

const codeOf = (error: unknown): string => {
  const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === "string" ? code : String(name);
};
