import { readFileSync } from "node:fs";

/** How we call ourselves on the wire. The package's file lies beside `src` and `dist` alike. */
export const readUserAgent = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return `gainstream/${version}`;
};
