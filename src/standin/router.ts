import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import type { CallLog } from "./call-log.ts";
import { clickstreamPath } from "./clickstream.ts";
import type { Handlers, Routes } from "./control.ts";
import { errorResponse, sendResponse, type StandinResponse } from "./response.ts";

interface RouterOptions {
  readonly clickstream: (req: IncomingMessage, res: ServerResponse) => void;
  readonly control: Routes;
  readonly callLog: CallLog;
}

interface RouteMatch {
  readonly handlers: Handlers;
  /** The part of the path after the route's own path. */
  readonly subPath: string;
}

const findRoute = (routes: Routes, path: string): RouteMatch => {
  const exactMatch = routes.get(path);
  if (exactMatch !== undefined) return { handlers: exactMatch, subPath: "" };
  for (const [route, handlers] of routes) {
    if (route !== "/" && route.endsWith("/") && path.startsWith(route))
      return { handlers, subPath: path.slice(route.length) };
  }
  return { handlers: new Map(), subPath: "" };
};

const noRouteResponse = (allowed: string): StandinResponse =>
  allowed === ""
    ? errorResponse(404, "Cannot find this path: GET / lists the routes")
    : errorResponse(405, `Cannot use this method here: want ${allowed}`, { allow: allowed });

/** Dispatches each request to its route. A request to an unknown path counts as a call, unless it is one of our own paths. */
export const createRouter = ({ clickstream, control, callLog }: RouterOptions): RequestListener => {
  const clickstreamHandlers: Handlers = new Map([["POST", ({ req, res }) => clickstream(req, res)]]);
  const routes: Routes = new Map([[clickstreamPath, clickstreamHandlers], ...control]);

  const dispatch: RequestListener = (req, res) => {
    const { url = "/", method = "GET" } = req;
    const [path = "/", search] = url.split("?", 2);
    const { handlers, subPath } = findRoute(routes, path);
    const handler = handlers.get(method);
    if (handler !== undefined) return handler({ req, res, query: new URLSearchParams(search), subPath });
    const response = noRouteResponse([...handlers.keys()].join(", "));
    if (path !== "/" && !path.startsWith("/standin/")) callLog.record(response.status, undefined);
    sendResponse(res, response);
  };

  return function route(req, res) {
    // The busy route is matched first, without a search.
    if (req.url === clickstreamPath && req.method === "POST") return clickstream(req, res);
    dispatch(req, res);
  };
};
