import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { JsonObject } from "../core/json/json.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { statusPage, statusPagePolicy } from "./status-page.ts";

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Whether the process makes progress. A dependency that is down does not count. */
  readonly live: () => { readonly ok: boolean; readonly detail: string };
  /** `reasons` says why the service is not ready. A hold is no such reason. */
  readonly ready: () => {
    readonly ok: boolean;
    readonly reasons: readonly string[];
    readonly holds: readonly string[];
  };
  /** Anything but personal data. The status page shows `ready`, `holds` and `totals` (numbers by name) at the top. */
  readonly status: () => JsonObject;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly log: Log;
}

export interface OpsServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface OpsResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Route = () => OpsResponse | Promise<OpsResponse>;

/** Serves probes, metrics, the status and the status page. Rejects with a sentence if it cannot listen. */
export const createOpsServer = async (options: OpsServerOptions): Promise<OpsServer> => {
  const routes = createRoutes(options);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 5000, connectionsCheckingInterval: 2000 },
    (request, response) => {
      handleRequest(request, routes).then(
        (answer) => sendResponse(response, answer),
        (error: unknown) => {
          options.log.error({ err: error }, "Cannot answer a request for probes, metrics or status");
          sendResponse(response, textResponse(500, "Cannot answer this request; see the log"));
        },
      );
    },
  );
  server.maxConnections = 128;
  // Closes the connection of a client that does not read its response.
  server.setTimeout(30_000);
  await listen(server, options);
  server.on("error", (error) => options.log.warn({ err: error }, "Cannot accept a connection for probes or metrics"));
  const { port } = server.address() as AddressInfo;
  return { url: `http://${reachableHost(options.host)}:${port}`, close: () => close(server) };
};

const createRoutes = ({ live, ready, status, metrics }: OpsServerOptions): ReadonlyMap<string, Route> =>
  new Map<string, Route>([
    ["/livez", () => probeResponse(live())],
    ["/readyz", () => probeResponse(ready())],
    ["/metrics", async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
    ["/api/status", () => jsonResponse(200, status())],
    ["/", () => ({ status: 200, type: "text/html; charset=utf-8", body: statusPage, headers: statusPagePolicy })],
  ]);

const handleRequest = async (request: IncomingMessage, routes: ReadonlyMap<string, Route>): Promise<OpsResponse> => {
  const route = routes.get(request.url?.split("?", 1)[0] ?? "");
  if (route === undefined) return textResponse(404, `Unknown path; known paths are ${[...routes.keys()].join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...textResponse(405, "Only GET and HEAD are allowed"), headers: { allow: "GET, HEAD" } };
  }
  return route();
};

const jsonResponse = (status: number, body: object): OpsResponse => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(body)}\n`,
});

const probeResponse = (state: { readonly ok: boolean }): OpsResponse => jsonResponse(state.ok ? 200 : 503, state);

const textResponse = (status: number, sentence: string): OpsResponse => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${sentence}\n`,
});

const sendResponse = (response: ServerResponse, { status, type, body, headers }: OpsResponse): void => {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(body);
};

const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use, choose another with HTTP_PORT",
  EACCES: "the system does not allow this port, choose one above 1023 with HTTP_PORT",
  EADDRNOTAVAIL: "this machine does not have that address, choose another with HTTP_HOST",
  ENOTFOUND: "that name is unknown, choose another with HTTP_HOST",
};

const listen = (server: Server, { host, port }: OpsServerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const onListenError = (error: NodeJS.ErrnoException): void => {
      const reason = listenProblems[error.code ?? ""] ?? error.message;
      reject(new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause: error }));
    };
    server.once("error", onListenError);
    server.listen({ host, port }, () => {
      server.off("error", onListenError);
      resolve();
    });
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const reachableHost = (host: string): string => {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
};
