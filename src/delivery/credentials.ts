import { readFileSync, statSync } from "node:fs";

export interface CredentialsOptions {
  /** A file that holds the key and nothing else; undefined where the key was given as a value. */
  readonly file: string | undefined;
  readonly initial: string;
  readonly onChange: () => void;
  /** How often the file is looked at, in milliseconds. */
  readonly pollMs?: number;
}

export interface Credentials {
  readonly accessKey: string;
  /** Looks at the file now: a refused key may have been replaced a moment ago. */
  readonly refresh: () => void;
  readonly close: () => void;
}

/** As in config: visible ASCII only, since anything else cannot be in a header. */
const keyPattern = /^[\x21-\x7e]{36}$/;

/** The file's content where it is a whole key; undefined while it is missing, empty, half written or no key at all. */
const readKey = (file: string): string | undefined => {
  try {
    const key = readFileSync(file, "utf8").trim();
    return keyPattern.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
};

/** Changes with the file; a file that cannot be looked at is as good as missing. */
const stampOf = (file: string): string => {
  try {
    const { mtimeMs, ino, size } = statSync(file);
    return `${mtimeMs}-${ino}-${size}`;
  } catch {
    return "missing";
  }
};

/**
 * The access key, read anew when its file changes. Looked at, not watched: a mounted Secret changes by a swapped symlink,
 * which file watchers miss.
 */
export const createCredentials = ({ file, initial, onChange, pollMs = 2_000 }: CredentialsOptions): Credentials => {
  let accessKey = initial;
  let stamp = file === undefined ? "" : stampOf(file);
  const refresh = (): void => {
    if (file === undefined) return;
    stamp = stampOf(file);
    const key = readKey(file);
    if (key === undefined || key === accessKey) return;
    accessKey = key;
    onChange();
  };
  const look = (): void => {
    if (file !== undefined && stampOf(file) !== stamp) refresh();
  };
  const timer = file === undefined ? undefined : setInterval(look, pollMs).unref();
  return {
    get accessKey() {
      return accessKey;
    },
    refresh,
    close: () => clearInterval(timer),
  };
};
