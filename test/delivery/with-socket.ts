import { type Server, type Socket, createServer } from "node:net";

import type { Answer } from "../../src/core/outcome/classify.ts";
import { type HttpClient, type HttpOptions, type HttpRequest, createHttpClient } from "../../src/delivery/http.ts";
import { createClickstream } from "../../src/delivery/routes/clickstream.ts";
import { accessKey, sampleEvent } from "../standin/with-standin.ts";

const bodyOf = (messageId: string): Buffer => Buffer.from(JSON.stringify({ ...sampleEvent, messageId }));

export const requestOf = (messageId = "m1", key = accessKey) =>
  createClickstream({ prefix: "", userAgent: "gainstream/test" })(
    { kind: "call", call: "track", body: bodyOf(messageId) },
    key,
  );

export const withClient = async (
  options: Partial<HttpOptions> & { origin: string },
  story: (client: HttpClient) => Promise<void>,
): Promise<void> => {
  const client = createHttpClient({ timeoutMs: 5_000, ...options });
  try {
    await story(client);
  } finally {
    await client.close();
  }
};

/** A client against a server that does with each connection what it is told to. */
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

export const send = (client: HttpClient, request: HttpRequest): Promise<Answer> =>
  new Promise((resolve) => {
    client.send(request, resolve);
  });

export const onRequest = (socket: Socket, answer: () => void): void => void socket.once("data", answer);
