import { type Server, type Socket, createServer } from "node:net";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import {
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  createHttpClient,
} from "../../src/delivery/http-client.ts";
import { createClickstreamRequest } from "../../src/delivery/routes/clickstream.ts";
import { accessKey, sampleEvent } from "../standin/with-standin.ts";

const bodyOf = (messageId: string): Buffer => Buffer.from(JSON.stringify({ ...sampleEvent, messageId }));

export const requestOf = (messageId = "m1", key = accessKey) =>
  createClickstreamRequest({ pathPrefix: "", userAgent: "gainstream/test" })(
    { kind: "call", type: "track", body: bodyOf(messageId) },
    key,
  );

export const withClient = async (
  options: Partial<HttpClientOptions> & { origin: string },
  story: (client: HttpClient) => Promise<void>,
): Promise<void> => {
  const client = createHttpClient({ timeoutMs: 5_000, ...options });
  try {
    await story(client);
  } finally {
    await client.close();
  }
};

/** An HTTP client against a TCP server that the test scripts. */
export const withSocket = async (
  onSocket: (socket: Socket) => void,
  story: (client: HttpClient) => Promise<void>,
  timeoutMs = 200,
): Promise<void> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  try {
    await withClient({ origin: `http://127.0.0.1:${port}`, timeoutMs }, story);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
};

export const send = (client: HttpClient, request: HttpRequest): Promise<CallResult> =>
  new Promise((resolve) => {
    client.send(request, resolve);
  });

export const onRequest = (socket: Socket, answer: () => void): void => void socket.once("data", answer);
