import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { pipeline } from "node:stream";
import { createServer } from "node:tls";

import type { Story } from "../journeys/story.ts";
import type { Certificate } from "./certificates.ts";

/** Puts a TLS server in front of `url`. Counts only connections that completed the handshake. */
export const encrypt = async ({ onEnd }: Story, url: string, { cert, key }: Certificate) => {
  const { hostname, port, pathname } = new URL(url);
  let connections = 0;
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    connections++;
    pipeline(socket, connect(Number(port), hostname), socket, () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onEnd(async () => void server.close());
  const { port: tlsPort } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${tlsPort}${pathname}`, connections: () => connections };
};
