import type { Batch } from "kafkajs";

import { eventKeyOf } from "../core/outcome/headers.ts";
import type { Arrival } from "../core/parsed-record.ts";
import { decodeFinished } from "../offsets/completed-map.ts";
import type { Found, Place } from "../ordering/retry-backlog.ts";
import type { Feed } from "./owned-partition.ts";
import type { Reader } from "./record-reader.ts";

export interface ScanOptions {
  readonly feed: Feed;
  readonly scan: NonNullable<Feed["scan"]>;
  readonly read: Reader;
}

const foundOf = ({ user, past, record }: Arrival, place: Place): Found => {
  const { topic, topicId, offset, index, timestamp } = past.origin;
  return {
    user,
    id: eventKeyOf(past.origin),
    place,
    topic,
    topicId,
    offset: Number(offset),
    index,
    timestamp,
    writtenAt: record.timestamp,
  };
};

/** Reads a batch of a tier only to learn whose records wait there. Stops at a record whose schema has to be fetched. */
export const scanBatch = (
  batch: Batch,
  { feed, scan, read }: ScanOptions,
): { last: number | undefined; needs?: number } => {
  const { tier = 0, start, metadata } = feed;
  const finished = decodeFinished(start, metadata);
  let last: number | undefined;
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset >= scan.position && offset < scan.end && !finished.has(offset)) {
      const reading = read(message, feed);
      if (reading.kind === "needs_schema") return { last, needs: reading.schemaId };
      scan.found.push(...reading.arrivals.map((arrival) => foundOf(arrival, { tier, offset })));
    }
    last = offset;
  }
  return { last };
};
