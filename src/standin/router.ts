import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import type { Calls } from "./calls.ts";
import { clickstreamPath } from "./clickstream.ts";
import type { Handlers, Routes } from "./control.ts";
import { errorAnswer, send, type Answer } from "./send.ts";

interface RouterParts {
  readonly clickstream: (req: IncomingMessage, res: ServerResponse) => void;
  readonly control: Routes;
  readonly calls: Calls;
}

interface Found {
  readonly handlers: Handlers;
  /** What follows the route's path. */
  readonly rest: string;
}

const findRoute = (routes: Routes, path: string): Found => {
  const whole = routes.get(path);
  if (whole !== undefined) return { handlers: whole, rest: "" };
  for (const [route, handlers] of routes) {
    if (route !== "/" && route.endsWith("/") && path.startsWith(route))
      return { handlers, rest: path.slice(route.length) };
  }
  return { handlers: new Map(), rest: "" };
};

const refusal = (allowed: string): Answer =>
  allowed === ""
    ? errorAnswer(404, "Cannot find this path: GET / lists the routes")
    : errorAnswer(405, `Cannot use this method here: want ${allowed}`, { allow: allowed });

/** Leads each request to its route. What misses Gainsight's one route is counted as a call; what misses ours is not. */
export const createRouter = ({ clickstream, control, calls }: RouterParts): RequestListener => {
  const arrivals: Handlers = new Map([["POST", ({ req, res }) => clickstream(req, res)]]);
  const routes: Routes = new Map([[clickstreamPath, arrivals], ...control]);

  const findOut: RequestListener = (req, res) => {
    const { url = "/", method = "GET" } = req;
    const [path = "/", search] = url.split("?", 2);
    const { handlers, rest } = findRoute(routes, path);
    const handler = handlers.get(method);
    if (handler !== undefined) return handler({ req, res, query: new URLSearchParams(search), rest });
    const answer = refusal([...handlers.keys()].join(", "));
    if (path !== "/" && !path.startsWith("/standin/")) calls.note(answer.status, undefined);
    send(res, answer);
  };

  return function route(req, res) {
    // The one busy route needs no search.
    if (req.url === clickstreamPath && req.method === "POST") return clickstream(req, res);
    findOut(req, res);
  };
};
