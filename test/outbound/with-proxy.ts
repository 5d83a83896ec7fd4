import { once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";

/** What the proxy does with a CONNECT request; a number is the status that it refuses with. */
export type Mood = "open" | "hang" | "cut" | "babble" | number;

/** A proxy on loopback that opens tunnels by CONNECT, and does nothing else. */
export interface Proxy {
  readonly host: string;
  readonly url: string;
  mood: Mood;
  /** As `user:password`; empty if it requires none. */
  credentials: string;
  /** The targets of all CONNECT requests, in order. */
  readonly asked: string[];
  /** The headers of all CONNECT requests. */
  readonly headers: IncomingMessage["headers"][];
  /** Requests that it was asked to forward. */
  readonly forwards: string[];
  /** How many connections to it are open. */
  readonly open: () => number;
  /** Ends every connection, also those to the targets, and waits until the other side has seen it. */
  readonly hangUp: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const answer = (socket: Duplex, line: string): void =>
  void socket.end(`HTTP/1.1 ${line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);

const openWay = (client: Duplex, authority: string): void => {
  const { hostname, port } = new URL(`tcp://${authority}`);
  const target = connect(Number(port), hostname);
  const onRefused = (): void => answer(client, "502 Bad Gateway");
  target.once("error", onRefused).once("connect", () => {
    target.off("error", onRefused).on("error", () => client.destroy());
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    client.pipe(target).pipe(client);
  });
  target.on("close", () => client.destroy());
  client.on("close", () => target.destroy());
};

const hasCredentials = ({ headers }: IncomingMessage, credentials: string): boolean =>
  credentials === "" || headers["proxy-authorization"] === `Basic ${Buffer.from(credentials).toString("base64")}`;

const onConnect = (proxy: Proxy, request: IncomingMessage, socket: Duplex): void => {
  socket.on("error", () => socket.destroy());
  proxy.asked.push(request.url ?? "");
  proxy.headers.push(request.headers);
  if (typeof proxy.mood === "number") return answer(socket, `${proxy.mood} No`);
  if (!hasCredentials(request, proxy.credentials)) return answer(socket, "407 Proxy Authentication Required");
  if (proxy.mood === "open") return openWay(socket, request.url ?? "");
  // Else the other side's end would not be seen.
  socket.resume().once("end", () => socket.destroy());
  if (proxy.mood === "cut") socket.destroy();
  if (proxy.mood === "babble") socket.end("what?\r\n\r\n");
};

export const createProxy = async (): Promise<Proxy> => {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    proxy.forwards.push(request.url ?? "");
    response.writeHead(400).end();
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => onConnect(proxy, request, socket));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const proxy: Proxy = {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    mood: "open",
    credentials: "",
    asked: [],
    headers: [],
    forwards: [],
    open: () => sockets.size,
    hangUp: async () => {
      const ends = Array.from(sockets, (socket) => once(socket, "close"));
      for (const socket of sockets) socket.end();
      await Promise.all(ends);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return proxy;
};

export const withProxy = async (story: (proxy: Proxy) => Promise<void>): Promise<void> => {
  const proxy = await createProxy();
  try {
    await story(proxy);
  } finally {
    await proxy.close();
  }
};
