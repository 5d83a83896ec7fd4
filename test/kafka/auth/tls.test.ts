import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TLSSocket, connect, createServer as createTlsServer } from "node:tls";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createTlsOptions } from "../../../src/kafka/auth/tls.ts";
import { type Authority, type Certificate, createAuthority } from "../../security/certificates.ts";
import { listen } from "../listen.ts";

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

/** Copies of a certificate and its key, which a test may replace. */
const mount = (name: string) => {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.pem`) };
  const put = ({ cert, key }: Certificate): void => {
    copyFileSync(cert, files.certFile);
    copyFileSync(key, files.keyFile);
  };
  put(first);
  return { files, put };
};

describe("createTlsOptions()", () => {
  it("uses the current certificate for every connection, and the last good one while there is none", async () => {
    const { files, put } = mount("mounted");
    const names: unknown[] = [];
    const options = { ca: readFileSync(authority.ca), cert: readFileSync(server.cert), key: readFileSync(server.key) };
    const listener = createTlsServer({ ...options, requestCert: true }, (socket) => {
      names.push(socket.getPeerCertificate().subject.CN);
      socket.end();
    });
    const port = await listen(listener);
    const problems: string[] = [];
    const tls = createTlsOptions({ caFile: authority.ca, ...files }, (why) => problems.push(why));
    const visit = (): Promise<void> =>
      new Promise((resolve, reject) => {
        // kafkajs connects in this way.
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
      expect.stringMatching(/^Cannot use KAFKA_TLS_CERT_FILE: the file '.*' holds no PEM$/),
      expect.stringMatching(/^Cannot use KAFKA_TLS_CERT_FILE with KAFKA_TLS_KEY_FILE: .*mismatch/),
      expect.stringContaining("ENOENT"),
    ]);
  });

  it("never trusts all authorities of the system if the CA file is empty", () => {
    const caFile = join(folder, "empty.pem");
    writeFileSync(caFile, "\n");
    const tls = createTlsOptions({ caFile }, () => {});
    expect(() => tls.secureContext).toThrow("Cannot use KAFKA_TLS_CA_FILE: the file");
  });
});
