import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

import { toError } from "../../core/to-error.ts";

/** AVRO_SCHEMA_FILE cannot be used: an error in the configuration. */
export class SchemaFileError extends Error {}

export interface SchemaFile {
  /** The file's name, for errors. */
  readonly name: string;
  readonly path: string;
  /** The schema as parsed JSON, not yet compiled. */
  readonly schema: unknown;
}

/** The error about a file that cannot be used. */
export const schemaFileError = (path: string, cause: unknown): SchemaFileError => {
  return new SchemaFileError(
    `Cannot use AVRO_SCHEMA_FILE: got '${path}' (${toError(cause).message}), want a file with an Avro schema`,
    {
      cause,
    },
  );
};

/**
 * Whether a path is a folder. Also false if there is nothing at the path: reading it as a file then fails with an error that names it.
 */
export const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/**
 * Reads the file, or every `*.avsc` of the folder in the order of their names. Throws a `SchemaFileError` that names the file at fault.
 */
export const readSchemaFiles = (path: string): readonly SchemaFile[] => {
  if (!isFolder(path)) return [readSchemaFile(path, path)];
  const files = schemaFileNames(path).map((name) => readSchemaFile(name, join(path, name)));
  if (files.length > 0) return files;
  throw new SchemaFileError(`Cannot use AVRO_SCHEMA_FILE: got the folder '${path}' without schemas, want *.avsc in it`);
};

/**
 * The names of a folder's schema files. Names that begin with a dot belong to editors or to Kubernetes, which mounts the files in a
 * folder `..data` and links to them. Of several links to one file only the first counts. Other folders are not searched.
 */
const schemaFileNames = (folder: string): readonly string[] => {
  const seen = new Set<string>();
  return folderEntries(folder)
    .filter((name) => name.endsWith(".avsc") && !name.startsWith(".") && !isFolder(join(folder, name)))
    .toSorted()
    .filter((name) => {
      const real = realPathOf(join(folder, name));
      return !seen.has(real) && seen.add(real);
    });
};

const folderEntries = (folder: string): readonly string[] => {
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
    // A broken link; reading the file fails later.
    return path;
  }
};

const readSchemaFile = (name: string, path: string): SchemaFile => {
  try {
    // Some editors write a byte order mark.
    const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
    return { name, path, schema: JSON.parse(text) as unknown };
  } catch (error) {
    throw schemaFileError(path, error);
  }
};
