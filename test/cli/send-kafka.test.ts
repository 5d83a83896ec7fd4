import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { freePorts } from "../../local/ports.ts";
import { openSink } from "../../src/cli/send-kafka.ts";

const open = (port: number | undefined) =>
  openSink({
    kafka: { brokers: [`127.0.0.1:${port}`], clientId: "test", groupId: "test", compression: "none" },
    topic: "shop",
    timeoutMs: 200,
  });

describe("openSink()", () => {
  it("rejects in time if nobody listens, with the reason", async () => {
    const [port] = await freePorts(1);
    const words = `^Cannot reach Kafka at 127.0.0.1:${port}: .*ECONNREFUSED.*; is it running, and are the KAFKA_ variables right`;
    await expect(open(port)).rejects.toThrow(new RegExp(words));
  });

  it("rejects in time if the server does not answer", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await expect(open(port)).rejects.toThrow(
      `Cannot reach Kafka at 127.0.0.1:${port}: no answer in time; is it running`,
    );
  });
});
