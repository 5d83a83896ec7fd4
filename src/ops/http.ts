import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { JsonObject } from "../core/json/json.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { statusPage, statusPagePolicy } from "./status-page.ts";

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Progress of our own, never a dependency's state. */
  readonly live: () => { readonly ok: boolean; readonly detail: string };
  /** `reasons` names what is still missing; a hold does not make the service unready. */
  readonly ready: () => {
    readonly ok: boolean;
    readonly reasons: readonly string[];
    readonly holds: readonly string[];
  };
  /** Anything but personal data. The page gives `ready`, `holds` and `totals` (numbers by name) a place of their own. */
  readonly status: () => JsonObject;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly log: Log;
}

export interface OpsServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Route = () => Answer | Promise<Answer>;

/** Probes, metrics, status and its page. Throws a plain sentence where it cannot listen. */
export const createOpsServer = async (options: OpsServerOptions): Promise<OpsServer> => {
  const routes = createRoutes(options);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 5000, connectionsCheckingInterval: 2000 },
    (request, response) => {
      answer(request, routes).then(
        (found) => send(response, found),
        (error: unknown) => {
          options.log.error({ err: error }, "Cannot answer a request for probes, metrics or status");
          send(response, plain(500, "Cannot answer, the log says why"));
        },
      );
    },
  );
  server.maxConnections = 128;
  // Ends a connection whose client does not take its answer.
  server.setTimeout(30_000);
  await listen(server, options);
  server.on("error", (error) => options.log.warn({ err: error }, "Cannot accept a connection for probes or metrics"));
  const { port } = server.address() as AddressInfo;
  return { url: `http://${reachable(options.host)}:${port}`, close: () => close(server) };
};

const createRoutes = ({ live, ready, status, metrics }: OpsServerOptions): ReadonlyMap<string, Route> =>
  new Map<string, Route>([
    ["/livez", () => probe(live())],
    ["/readyz", () => probe(ready())],
    ["/metrics", async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
    ["/api/status", () => json(200, status())],
    ["/", () => ({ status: 200, type: "text/html; charset=utf-8", body: statusPage, headers: statusPagePolicy })],
  ]);

const answer = async (request: IncomingMessage, routes: ReadonlyMap<string, Route>): Promise<Answer> => {
  const route = routes.get(request.url?.split("?", 1)[0] ?? "");
  if (route === undefined) return plain(404, `Nothing here, known are ${[...routes.keys()].join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...plain(405, "Only GET and HEAD are allowed"), headers: { allow: "GET, HEAD" } };
  }
  return route();
};

const json = (status: number, body: object): Answer => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(body)}\n`,
});

const probe = (state: { readonly ok: boolean }): Answer => json(state.ok ? 200 : 503, state);

const plain = (status: number, sentence: string): Answer => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${sentence}\n`,
});

const send = (response: ServerResponse, { status, type, body, headers }: Answer): void => {
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
    const refuse = (error: NodeJS.ErrnoException): void => {
      const why = listenProblems[error.code ?? ""] ?? error.message;
      reject(new Error(`Cannot listen on ${host}:${port}: ${why}`, { cause: error }));
    };
    server.once("error", refuse);
    server.listen({ host, port }, () => {
      server.off("error", refuse);
      resolve();
    });
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const reachable = (host: string): string => {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
};
