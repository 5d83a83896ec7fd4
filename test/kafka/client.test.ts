import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TLSSocket, connect, createServer as createTlsServer } from "node:tls";

import type { LogEntry } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createPasswordLogin, createTls } from "../../src/kafka/auth/tls.ts";
import { createKafka } from "../../src/kafka/client.ts";
import { type Authority, type Certificate, createAuthority } from "../security/certificates.ts";

let folder: string;
let authority: Authority;
let server: Certificate;
let first: Certificate;
let second: Certificate;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gainstream-tls-"));
  authority = await createAuthority(folder, "ours");
  [server, first, second] = await Promise.all([
    authority.sign("server"),
    authority.sign("first"),
    authority.sign("second"),
  ]);
});

afterAll(() => rmSync(folder, { recursive: true }));

const listen = async (listener: Server): Promise<number> => {
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  return (listener.address() as AddressInfo).port;
};

/** Copies of a certificate and its key that a test may replace. */
const mount = (name: string) => {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.pem`) };
  const put = ({ cert, key }: Certificate): void => {
    copyFileSync(cert, files.certFile);
    copyFileSync(key, files.keyFile);
  };
  put(first);
  return { files, put };
};

describe("createTls()", () => {
  it("shows every connection the certificate of the moment, and the last good one while there is none", async () => {
    const { files, put } = mount("mounted");
    const names: unknown[] = [];
    const options = { ca: readFileSync(authority.ca), cert: readFileSync(server.cert), key: readFileSync(server.key) };
    const listener = createTlsServer({ ...options, requestCert: true }, (socket) => {
      names.push(socket.getPeerCertificate().subject.CN);
      socket.end();
    });
    const port = await listen(listener);
    const problems: string[] = [];
    const tls = createTls({ caFile: authority.ca, ...files }, (why) => problems.push(why));
    const visit = (): Promise<void> =>
      new Promise((resolve, reject) => {
        // As kafkajs does it.
        const socket: TLSSocket = connect(Object.assign({ host: "127.0.0.1", port }, tls));
        socket.on("error", reject).on("end", resolve).resume();
      });
    await visit();
    put(second);
    await visit();
    writeFileSync(files.certFile, "");
    await visit();
    put({ ...second, key: first.key });
    await visit();
    rmSync(files.keyFile);
    await visit();
    put(first);
    await visit();
    listener.close();
    expect(names).toEqual(["first", "second", "second", "second", "second", "first"]);
    expect(problems).toEqual([
      expect.stringMatching(/^Cannot use KAFKA_TLS_CERT_FILE: got '.*' without PEM in it$/),
      expect.stringMatching(/^Cannot use KAFKA_TLS_CERT_FILE with KAFKA_TLS_KEY_FILE: .*mismatch/),
      expect.stringContaining("ENOENT"),
    ]);
  });

  it("never trusts all authorities of the system because the file of ours is empty", () => {
    const caFile = join(folder, "empty.pem");
    writeFileSync(caFile, "\n");
    const tls = createTls({ caFile }, () => {});
    expect(() => tls.secureContext).toThrow("Cannot use KAFKA_TLS_CA_FILE: got");
  });
});

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
      onTrouble: (sentence) => troubles.push(sentence),
    });
    const admin = kafka.admin();
    // It tries for longer than this test.
    void admin.connect().catch(() => {});
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    await admin.disconnect();
    listener.close();
    // A TLS record that holds a handshake.
    expect(seen.map((data) => data[0])).toEqual(seen.map(() => 0x16));
    expect(Buffer.concat(seen).includes("open-sesame")).toBe(false);
    expect(JSON.stringify(entries)).not.toContain("open-sesame");
    expect(new Set(troubles).size).toBe(1);
    expect(troubles[0]).toMatch(/^The broker did not answer in TLS/);
  });
});
