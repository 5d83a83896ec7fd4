import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The answer of a fake registry to one "METHOD /path". `raw` replaces the JSON body, "hang" never answers, "break" stops half-way. */
export type FakeReply =
  | { readonly status: number; readonly body?: unknown; readonly raw?: string; readonly location?: string }
  | "hang"
  | "break";

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string;
  readonly replies: Map<string, FakeReply>;
  /** "METHOD /path" of every request, in order. */
  readonly requests: string[];
  readonly authorizations: (string | undefined)[];
  readonly headers: IncomingHttpHeaders[];
}

/** A registry on loopback that answers as a test asks. */
export async function createFakeRegistry(replies: Readonly<Record<string, FakeReply>> = {}): Promise<FakeRegistry> {
  const known = new Map(Object.entries(replies));
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    authorizations.push(request.headers.authorization);
    headers.push(request.headers);
    const reply = known.get(line) ?? { status: 404, body: { error_code: 40_403, message: "Not found" } };
    if (reply === "hang") return;
    if (reply === "break") {
      response.writeHead(200, { "content-length": 100 }).write("{");
      setImmediate(() => response.destroy());
      return;
    }
    const location = reply.location === undefined ? {} : { location: reply.location };
    response.writeHead(reply.status, { "content-type": "application/vnd.schemaregistry.v1+json", ...location });
    response.end(reply.raw ?? JSON.stringify(reply.body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    replies: known,
    requests,
    authorizations,
    headers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
