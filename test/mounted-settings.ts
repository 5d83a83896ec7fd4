import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const name = "settings.yaml";

/** A settings file as Kubernetes mounts it: a symlink into `..data`, itself a symlink to the folder of the newest version. */
export const mountSettings = (text: string) => {
  const folder = mkdtempSync(join(tmpdir(), "gainstream-mounted-"));
  let version = 0;
  /** Kubernetes's way: all of a new version at once. */
  const mount = (next: string): void => {
    version++;
    const path = join(folder, `..v${version}`);
    mkdirSync(path);
    writeFileSync(join(path, name), next);
    symlinkSync(`..v${version}`, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    rmSync(join(folder, `..v${version - 1}`), { recursive: true, force: true });
  };
  /** An editor's way: a new file in the old one's place. */
  const rename = (next: string): void => {
    const path = join(folder, `..v${version}`, name);
    writeFileSync(`${path}.next`, next);
    renameSync(`${path}.next`, path);
  };
  mount(text);
  symlinkSync(join("..data", name), join(folder, name));
  return { file: join(folder, name), mount, rename, remove: () => rmSync(folder, { recursive: true }) };
};

/** Versions of settings that leave a mark, from 0 on. */
const numbers = Array.from({ length: 101 }, (_, n) => n);

/** What `markedSettings` leave their mark in. */
export const markedProperties = Object.fromEntries(
  numbers.flatMap((n) => [
    [`f${n}`, n],
    [`p${n}`, n],
  ]),
);

/** Settings of which every event that they judge tells twice: by a filter, and by the list of personal data. */
export const markedSettings = (version: number): string => `
filters: [{ action: drop_property, path: properties.f${version} }]
pii: { drop: [properties.p${version}] }
integrationNames: [Gainsight, v${version}]`;

/** The version that judged an event; not a number where it was none, or a mixture of several. */
export const judgeOf = (properties: Readonly<Record<string, unknown>>): number => {
  const missing = (letter: string): number[] => numbers.filter((n) => !(`${letter}${n}` in properties));
  const [judge = Number.NaN, ...others] = missing("f");
  return others.length === 0 && missing("p").join(",") === String(judge) ? judge : Number.NaN;
};
