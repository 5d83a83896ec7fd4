import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Linux hands out ports from 32768 on to outgoing connections: one of those can be gone before the server listens. */
const FIRST = 20_000;
const LAST = 32_767;
/** Processes that look for ports at the same time, such as those of the tests, look at different ones. */
const SHARES = 16;
const PORTS_PER_SHARE = Math.floor((LAST + 1 - FIRST) / SHARES);

/** Whoever got one may not listen yet. */
const given = new Set<number>();

/** Different ports that nobody listens on at 127.0.0.1 right now, chosen at random. This process gets none of them again soon. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  // Long ago taken, or not wanted any more.
  if (given.size > PORTS_PER_SHARE / 2) given.clear();
  while (ports.length < count) {
    const port = FIRST + (process.pid % SHARES) + SHARES * randomInt(PORTS_PER_SHARE);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Runs `start` again, with new ports each time, while it fails because somebody else took a port first. */
export async function retryTakenPort<T>(start: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left -= 1) {
    try {
      return await start();
    } catch (error) {
      if (left === 0 || !/address already in use|port \d+ seems to be in use/i.test(String(error))) throw error;
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
