import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Linux uses ports from 32768 on for outgoing connections, so those can be taken before the server listens. */
const FIRST = 20_000;
const LAST = 32_767;
/** Processes that search at the same time, such as tests, mostly search in different shares of the ports. */
const SHARES = 16;
const PORTS_PER_SHARE = Math.floor((LAST + 1 - FIRST) / SHARES);

/** Ports that this process has returned: their servers may not listen yet. */
const handedOut = new Set<number>();

/** Distinct random ports of 127.0.0.1 that are free now. The same process does not soon get one of them again. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  // The older half is in use by now, or no longer needed.
  if (handedOut.size > PORTS_PER_SHARE / 2) handedOut.clear();
  while (ports.length < count) {
    const port = FIRST + (process.pid % SHARES) + SHARES * randomInt(PORTS_PER_SHARE);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Calls `start` again, up to 3 times, if it fails because another process has taken its port. */
export async function retryTakenPort<T>(start: () => Promise<T>): Promise<T> {
  for (let retries = 3; ; retries -= 1) {
    try {
      return await start();
    } catch (error) {
      if (retries === 0 || !/address already in use|port \d+ seems to be in use/i.test(String(error))) throw error;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
