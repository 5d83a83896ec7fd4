import { readFileSync } from "node:fs";

/** The value of the header `User-Agent`: our name and version. `package.json` lies beside `src` as well as beside `dist`. */
export const readUserAgent = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return `gainstream/${version}`;
};
