import { once } from "node:events";
import { createServer } from "node:net";

import { expect, test } from "vitest";

import { freePorts, retryTakenPort } from "../../local/ports.ts";

test("freePorts() gives distinct free ports below Linux's range for outgoing connections", async () => {
  const ports = await freePorts(8);
  expect(new Set(ports).size).toBe(8);
  for (const port of ports) {
    expect(port).toBeLessThan(32_768);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
  }
});

test.each([["java.net.BindException: Address already in use"], ["Port 21010 seems to be in use by another process"]])(
  "retryTakenPort() tries again after %j",
  async (message) => {
    let calls = 0;
    const port = await retryTakenPort(async () => {
      calls += 1;
      if (calls < 3) throw new Error(message);
      return calls;
    });
    expect(port).toBe(3);
  },
);

test("retryTakenPort() gives up after four ports in a row", async () => {
  let calls = 0;
  const start = async (): Promise<never> => {
    calls += 1;
    throw new Error("Address already in use");
  };
  await expect(retryTakenPort(start)).rejects.toThrow("Address already in use");
  expect(calls).toBe(4);
});

test("retryTakenPort() rejects with any other failure at once", async () => {
  let calls = 0;
  const start = async (): Promise<never> => {
    calls += 1;
    throw new Error("No space left on device");
  };
  await expect(retryTakenPort(start)).rejects.toThrow("No space left on device");
  expect(calls).toBe(1);
});

test("freePorts() gives each port once, also to concurrent calls", async () => {
  const ports = (await Promise.all(Array.from({ length: 40 }, () => freePorts(2)))).flat();
  expect(new Set(ports).size).toBe(80);
});
