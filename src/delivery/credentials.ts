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

const keyLength = 36;

/** The file's content where it is a whole key; undefined while it is missing, empty or half written. */
const readKey = (file: string): string | undefined => {
  try {
    const key = readFileSync(file, "utf8").trim();
    return key.length === keyLength ? key : undefined;
  } catch {
    return undefined;
  }
};

const stampOf = (file: string): string => {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}-${stat.ino}-${stat.size}` : "missing";
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
