import { decodeCompleted, encodeCompleted, maxMetadataChars } from "./completed-map.ts";
import { decodePartialLists, encodePartialLists } from "./partial-lists.ts";

export interface RebaseMetadataOptions {
  /** The committed offset. */
  readonly offset?: number | undefined;
  /** The metadata of that commit. */
  readonly metadata: string | null;
  /** The offset of the new commit. */
  readonly newOffset: number;
}

/** The metadata for a commit at a higher offset: what is completed from the new offset on stays completed. */
export const rebaseMetadata = ({ offset = 0, metadata, newOffset }: RebaseMetadataOptions): string => {
  const completed = [...decodeCompleted(offset, metadata)]
    .filter((completedOffset) => completedOffset >= newOffset)
    .sort((a, b) => a - b);
  const partialLists = new Map(
    [...decodePartialLists(offset, metadata)].filter(([listOffset]) => listOffset >= newOffset),
  );
  const text = encodeCompleted(newOffset, completed);
  return text + encodePartialLists(newOffset, partialLists, maxMetadataChars - text.length);
};
