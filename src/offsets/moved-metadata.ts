import { decodeFinished, encodeFinished, maxChars } from "./completed-map.ts";
import { decodeStarted, encodeStarted } from "./partial-lists.ts";

/** The metadata of a commit as if it had been made further on: what was finished from there on stays finished. */
export const movedMetadata = ({
  offset = 0,
  metadata,
  to,
}: {
  offset?: number | undefined;
  metadata: string | null;
  to: number;
}): string => {
  const finished = [...decodeFinished(offset, metadata)].filter((one) => one >= to).sort((a, b) => a - b);
  const started = new Map([...decodeStarted(offset, metadata)].filter(([one]) => one >= to));
  const text = encodeFinished(to, finished);
  return text + encodeStarted(to, started, maxChars - text.length);
};
