import { createServer } from "node:net";

import type { LogEntry } from "kafkajs";
import { describe, expect, it } from "vitest";

import { createPasswordLogin } from "../../src/kafka/auth/password-login.ts";
import { createKafka } from "../../src/kafka/client.ts";
import { listen } from "./listen.ts";

describe("createKafka()", () => {
  it("sends nothing in plain text to a broker that does not speak TLS, and tries again", async () => {
    const seen: Buffer[] = [];
    const listener = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", (data) => {
        seen.push(data);
        socket.destroy();
      });
    });
    const port = await listen(listener);
    const troubles: string[] = [];
    const entries: LogEntry[] = [];
    const kafka = createKafka({
      brokers: [`127.0.0.1:${port}`],
      clientId: "test",
      tls: {},
      sasl: createPasswordLogin({ mechanism: "plain", username: "me", password: { read: () => "open-sesame" } }),
      logLevel: 5,
      logCreator: () => (entry) => entries.push(entry),
      onConnectionError: (sentence) => troubles.push(sentence),
    });
    const admin = kafka.admin();
    // It retries for longer than this test takes.
    void admin.connect().catch(() => {});
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    await admin.disconnect();
    listener.close();
    // The first byte of a TLS handshake
    expect(seen.map((data) => data[0])).toEqual(seen.map(() => 0x16));
    expect(Buffer.concat(seen).includes("open-sesame")).toBe(false);
    expect(JSON.stringify(entries)).not.toContain("open-sesame");
    expect(new Set(troubles).size).toBe(1);
    expect(troubles[0]).toMatch(/^The broker did not answer in TLS/);
  });
});
