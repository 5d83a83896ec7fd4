import { decodeCompleted, encodeCompleted, maxMetadataChars } from "./completed-map.ts";
import { decodePartialLists, encodePartialLists } from "./partial-lists.ts";

/** The metadata of a commit as if it had been made further on: what was finished from there on stays finished. */
export const rebaseMetadata = ({
  offset = 0,
  metadata,
  to,
}: {
  offset?: number | undefined;
  metadata: string | null;
  to: number;
}): string => {
  const completed = [...decodeCompleted(offset, metadata)].filter((mapOffset) => mapOffset >= to).sort((a, b) => a - b);
  const partialLists = new Map([...decodePartialLists(offset, metadata)].filter(([mapOffset]) => mapOffset >= to));
  const text = encodeCompleted(to, completed);
  return text + encodePartialLists(to, partialLists, maxMetadataChars - text.length);
};
