import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

/** AVRO_SCHEMA_FILE does not hold an Avro schema: a mistake of the configuration. */
export class SchemaFileError extends Error {}

export interface SchemaFile {
  /** How errors call it. */
  readonly name: string;
  readonly path: string;
  /** The parsed schema. */
  readonly schema: unknown;
}

/** A file that cannot be used, in a sentence. */
export const schemaFileError = (path: string, cause: unknown): SchemaFileError => {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SchemaFileError(`Cannot use AVRO_SCHEMA_FILE: got '${path}' (${why}), want a file with an Avro schema`, {
    cause,
  });
};

/** False also if nothing can be looked at there: to read it as a file then fails with its name. */
export const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/** Reads the file, or every `*.avsc` of the folder, by name. Throws a `SchemaFileError` that names the file at fault. */
export const readSchemaFiles = (path: string): readonly SchemaFile[] => {
  if (!isFolder(path)) return [readSchemaFile(path, path)];
  const files = namesIn(path).map((name) => readSchemaFile(name, join(path, name)));
  if (files.length > 0) return files;
  throw new SchemaFileError(`Cannot use AVRO_SCHEMA_FILE: got the folder '${path}' without schemas, want *.avsc in it`);
};

/**
 * Of links to the same file only the first counts. Names that begin with a dot are of editors, or of Kubernetes, which puts a
 * folder with the files beside links to them; other folders are not looked into.
 */
const namesIn = (folder: string): readonly string[] => {
  const seen = new Set<string>();
  return entriesOf(folder)
    .filter((name) => name.endsWith(".avsc") && !name.startsWith(".") && !isFolder(join(folder, name)))
    .toSorted()
    .filter((name) => {
      const real = realPathOf(join(folder, name));
      return !seen.has(real) && seen.add(real);
    });
};

const entriesOf = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw schemaFileError(folder, error);
  }
};

const realPathOf = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    // A link that leads nowhere.
    return path;
  }
};

const readSchemaFile = (name: string, path: string): SchemaFile => {
  try {
    // Some editors put a byte order mark in front.
    const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
    return { name, path, schema: JSON.parse(text) as unknown };
  } catch (error) {
    throw schemaFileError(path, error);
  }
};
