import type { ServerResponse } from "node:http";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { requestToken } from "../../../src/kafka/auth/token-request.ts";
import { createFetch } from "../../../src/outbound/fetch.ts";
import { withProxy } from "../../outbound/with-proxy.ts";
import { type TokenServer, answerJson, startTokenServer } from "../../security/token-server.ts";

let server: TokenServer;

beforeAll(async () => {
  server = await startTokenServer(300);
});
beforeEach(() => server.faults.clear());
afterAll(() => server.close());

const ask = (more: Partial<Parameters<typeof requestToken>[0]> = {}) =>
  requestToken({
    url: `${server.url}/token?tenant=one`,
    clientId: server.clientId,
    clientSecret: { read: () => server.clientSecret },
    ...more,
  });

const answering = (answer: (response: ServerResponse) => void): void =>
  void server.faults.set("/token?tenant=one", answer);

const problem = (more?: Parameters<typeof ask>[0]): Promise<string> =>
  ask(more).then(
    () => "none",
    (error: Error) => `${error.message}${error.cause === undefined ? "" : " with a cause"}`,
  );

describe("requestToken()", () => {
  it("sends the request through a proxy, and names a proxy that refuses it", () =>
    withProxy(async (proxy) => {
      const fetch = createFetch({ userAgent: "gainstream/1", proxy: { origin: proxy.url } });
      expect(await ask({ fetch })).toEqual({ value: server.tokens.at(-1), lifetimeMs: 300_000 });
      expect(proxy.asked).toEqual([new URL(server.url).host]);
      proxy.mood = 407;
      const refusing = createFetch({ userAgent: "gainstream/1", proxy: { origin: proxy.url } });
      expect(await problem({ fetch: refusing })).toBe(
        `Cannot get a token for Kafka from ${new URL(server.url).host}: The proxy ${proxy.host} requires credentials (407)`,
      );
    }));

  it("posts a form with the client in the header, encoded as RFC 6749 requires", async () => {
    expect(await ask({ scope: "a b" })).toEqual({ value: server.tokens.at(-1), lifetimeMs: 300_000 });
    const { headers, form } = server.asked.at(-1) ?? {};
    expect(headers).toMatchObject({
      accept: "application/json",
      "content-type": expect.stringMatching(/^application\/x-www-form-urlencoded/),
    });
    expect(Object.fromEntries(form ?? [])).toEqual({ grant_type: "client_credentials", scope: "a b" });
    await ask();
    expect(server.asked.at(-1)?.form.has("scope")).toBe(false);
  });

  it.each([
    ["a number", { expires_in: 60 }, 60_000],
    ["text", { expires_in: "3599", token_type: "bearer" }, 3_599_000],
    ["nothing", { token_type: "BEARER" }, 300_000],
    ["nonsense", { expires_in: "soon" }, 300_000],
    ["nothing left", { expires_in: 0 }, 300_000],
  ])("reads a lifetime that is %s", async (_, more, lifetimeMs) => {
    answering((response) => answerJson(response, 200, { access_token: "opaque", ...more }));
    expect(await ask()).toEqual({ value: "opaque", lifetimeMs });
  });

  const echoed = { error: "invalid_client", error_description: "client Secret+1/% is wrong" };
  it.each<[string, (response: ServerResponse) => void, string]>([
    [
      "refuses the client",
      (response) => answerJson(response, 401, echoed),
      "got status 401, invalid_client; set KAFKA_SASL_OAUTH_CLIENT_ID and KAFKA_SASL_OAUTH_CLIENT_SECRET (or its file) to a client that it knows",
    ],
    [
      "refuses the scope",
      (response) => answerJson(response, 400, { error: "invalid_scope" }),
      "got status 400, invalid_scope; set KAFKA_SASL_OAUTH_SCOPE to a scope that it accepts",
    ],
    [
      "has an error of its own",
      (response) => answerJson(response, 403, { error: "access_denied" }),
      "got status 403, access_denied",
    ],
    [
      "echoes the secret",
      (response) => answerJson(response, 400, { error: "Bad: client Secret+1/%" }),
      "got status 400",
    ],
    ["fails", (response) => void response.writeHead(503).end("<html>"), "got status 503"],
    [
      "sends elsewhere",
      (response) => void response.writeHead(307, { location: "http://127.0.0.1:1/" }).end(),
      "got a redirect (status 307), which is not followed",
    ],
    [
      "answers no JSON",
      (response) => void response.end("<html>Welcome</html>"),
      "got status 200 without an access_token, want JSON with one",
    ],
    [
      "answers null",
      (response) => void response.end("null"),
      "got status 200 without an access_token, want JSON with one",
    ],
    [
      "gives no text as a token",
      (response) => answerJson(response, 200, { access_token: { a: 1 } }),
      "got status 200 without an access_token, want JSON with one",
    ],
    [
      "gives a token that would break out of its place",
      (response) => answerJson(response, 200, { access_token: "a\u0001auth=Bearer b" }),
      "got status 200 without an access_token, want JSON with one",
    ],
    [
      "gives a token of another type",
      (response) => answerJson(response, 200, { access_token: "t", token_type: "mac" }),
      "got a token of another type, want 'Bearer'",
    ],
    [
      "answers without an end",
      (response) => void response.end("x".repeat(70_000)),
      "got an answer of more than 65536 bytes",
    ],
    ["hangs", () => {}, "no answer in time"],
    ["hangs in the middle", (response) => void response.write('{"access_token":'), "no answer in time"],
    ["hangs up", (response) => void response.destroy(), "UND_ERR_SOCKET"],
  ])("throws a sentence if the server %s", async (_, answer, why) => {
    answering(answer);
    expect(await problem({ timeoutMs: 300 })).toBe(
      `Cannot get a token for Kafka from ${new URL(server.url).host}: ${why}`,
    );
  });

  it("throws a sentence if no server listens", async () => {
    expect(await problem({ url: "http://localhost:2/token" })).toBe(
      "Cannot get a token for Kafka from localhost:2: ECONNREFUSED",
    );
  });

  it("reads the secret for every request, and sends it with the fetch that it gets", async () => {
    const secrets = ["wrong", server.clientSecret];
    const clientSecret = { read: () => secrets.shift() ?? "" };
    expect(await problem({ clientSecret })).toMatch(/invalid_client/);
    expect(await problem({ clientSecret })).toBe("none");
    const other = async (): Promise<Response> => Response.json({ access_token: "other" });
    expect(await ask({ fetch: other })).toMatchObject({ value: "other" });
  });
});
