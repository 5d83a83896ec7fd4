import { readFileSync } from "node:fs";
import { type ConnectionOptions, type SecureContext, createSecureContext } from "node:tls";

import { toError } from "../../core/to-error.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const readPem = (variable: string, path: string | undefined): string | undefined => {
  if (path === undefined) return undefined;
  const text = readFileSync(path, "utf8");
  // Node takes an empty authority for "all authorities of the system".
  if (!text.includes("-----BEGIN ")) throw new Error(`Cannot use ${variable}: the file '${path}' holds no PEM`);
  return text;
};

const createTlsContext = ({ caFile, certFile, keyFile }: TlsFiles): SecureContext => {
  const ca = readPem("KAFKA_TLS_CA_FILE", caFile);
  const cert = readPem("KAFKA_TLS_CERT_FILE", certFile);
  const key = readPem("KAFKA_TLS_KEY_FILE", keyFile);
  try {
    return createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new Error(`Cannot use KAFKA_TLS_CERT_FILE with KAFKA_TLS_KEY_FILE: ${toError(error).message}`, {
      cause: error,
    });
  }
};

/**
 * Options for `tls.connect`. The getter reads the files for every connection, so that renewed certificates are used without a restart.
 * If the files cannot be used, as while they are being replaced, the last good ones stay in use and `onUnusableFiles` receives the
 * reason. The getter throws if there are no good ones yet.
 */
export const createTlsOptions = (files: TlsFiles, onUnusableFiles: (reason: string) => void): ConnectionOptions => {
  let lastGood: SecureContext | undefined;
  return {
    // Not NODE_TLS_REJECT_UNAUTHORIZED, which could switch the check off.
    rejectUnauthorized: true,
    get secureContext() {
      try {
        lastGood = createTlsContext(files);
      } catch (error) {
        if (!lastGood) throw error;
        onUnusableFiles(toError(error).message);
      }
      return lastGood;
    },
  };
};
