/** Where a record waits: in which retry topic, and at which offset of its partition there. */
export interface RetryPosition {
  /** The index of the retry topic. */
  readonly tier: number;
  readonly offset: number;
}

/** A record that waits in a retry topic, as the scan of that topic at the start of an assignment finds it. */
export interface ScannedRecord {
  readonly user: string;
  readonly eventKey: string;
  readonly position: RetryPosition;
  /** The source topic of the event. */
  readonly topic: string;
  /** Kafka's id of the source topic. A topic that was deleted and created again has another id, and its offsets start at 0. */
  readonly topicId?: string | undefined;
  /** The event's offset in its source topic. */
  readonly offset: number;
  /** The event's index if its record holds a list of events. */
  readonly index?: number | undefined;
  /** The source record's timestamp, in ms since 1970. */
  readonly timestamp: number;
  /** When this copy was written to its retry topic, in ms since 1970: of two copies the newer one counts. */
  readonly writtenAt: number;
}

const newestCopies = (records: readonly ScannedRecord[]): ScannedRecord[] => {
  const byEventKey = new Map<string, ScannedRecord>();
  for (const record of records) {
    const known = byEventKey.get(record.eventKey);
    if (!known || known.writtenAt <= record.writtenAt) byEventKey.set(record.eventKey, record);
  }
  return [...byEventKey.values()];
};

const groupBySourceTopic = (records: readonly ScannedRecord[]): ScannedRecord[][] =>
  [...Map.groupBy(records, ({ topic, topicId = "" }) => `${topic} ${topicId}`).values()].map((ofTopic) =>
    ofTopic.sort((a, b) => a.offset - b.offset || (a.index ?? 0) - (b.index ?? 0)),
  );

/** One sorted input of the merge. */
interface MergeInput {
  readonly records: readonly ScannedRecord[];
  nextIndex: number;
}

const nextTimestamp = ({ records, nextIndex }: MergeInput): number => records[nextIndex]?.timestamp ?? 0;

/** Merges the records of several topics by timestamp: no other order is known between topics. */
const mergeByTimestamp = (topics: readonly (readonly ScannedRecord[])[]): readonly ScannedRecord[] => {
  let inputs: MergeInput[] = topics.map((records) => ({ records, nextIndex: 0 }));
  const ordered: ScannedRecord[] = [];
  while (inputs.length > 1) {
    const earliest = inputs.reduce((a, b) => (nextTimestamp(a) <= nextTimestamp(b) ? a : b));
    ordered.push(...earliest.records.slice(earliest.nextIndex, earliest.nextIndex + 1));
    earliest.nextIndex += 1;
    if (earliest.nextIndex === earliest.records.length) inputs = inputs.filter((input) => input !== earliest);
  }
  return ordered.concat(inputs.flatMap(({ records, nextIndex }) => records.slice(nextIndex)));
};

/** The newest copy of each event, in source order per user: by offset within a topic, by timestamp between topics. */
export const newestInSourceOrder = (records: readonly ScannedRecord[]): readonly ScannedRecord[] =>
  [...Map.groupBy(newestCopies(records), ({ user }) => user).values()].flatMap((ofUser) =>
    mergeByTimestamp(groupBySourceTopic(ofUser)),
  );
