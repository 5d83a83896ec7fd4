import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one file, as Kafka needs them. */
  readonly both: string;
}

export interface Authority {
  readonly ca: string;
  /** Signs a certificate for a name; by default for 127.0.0.1 and two days. */
  readonly sign: (name: string, how?: { readonly host?: string; readonly days?: number }) => Promise<Certificate>;
}

/** Creates a certificate authority with openssl, with its files in `folder`. */
export const createAuthority = async (folder: string, authority: string): Promise<Authority> => {
  const openssl = (...args: string[]): Promise<unknown> => run("openssl", args, { cwd: folder });
  const file = (name: string): string => join(folder, `${authority}-${name}`);
  const ca = file("ca.pem");
  const caKey = file("ca.key");
  await openssl("req", "-x509", ...newKey, "-keyout", caKey, "-out", ca, "-subj", `/CN=${authority}`, "-days", "2");
  const sign: Authority["sign"] = async (name, { host = "IP:127.0.0.1", days = 2 } = {}) => {
    const [cert, key, both, request] = [`${name}.pem`, `${name}.key`, `${name}.both`, `${name}.csr`].map(file) as [
      string,
      string,
      string,
      string,
    ];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${host}`];
    await openssl("req", ...newKey, "-keyout", key, "-out", request, ...subject);
    const signing = ["-CA", ca, "-CAkey", caKey, "-days", String(days), "-copy_extensions", "copy"];
    await openssl("x509", "-req", "-in", request, ...signing, "-out", cert);
    await writeFile(both, (await readFile(key, "utf8")) + (await readFile(cert, "utf8")));
    return { cert, key, both };
  };
  return { ca, sign };
};
