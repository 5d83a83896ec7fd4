/** How much may be held in memory at a time, over all partitions. */
export interface MemoryBudgetLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

export interface MemoryBudget {
  readonly records: number;
  readonly bytes: number;
  /** No further record may be taken up. */
  readonly isFull: boolean;
  /** Enough has been finished to take up records again: half of the limit, so that pausing and resuming do not flutter. */
  readonly isHalfFree: boolean;
  /** Takes up a record, or with `records` 0 only what several share. */
  reserve(bytes: number, records?: number): void;
  release(bytes: number, records?: number): void;
  /** Nothing is held any more. */
  reset(): void;
}

/** One budget, in records and bytes, for everything between intake and commit. */
export const createMemoryBudget = ({ maxRecords, maxBytes }: MemoryBudgetLimits): MemoryBudget => {
  let records = 0;
  let bytes = 0;
  return {
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
    get isFull() {
      return records >= maxRecords || bytes >= maxBytes;
    },
    get isHalfFree() {
      return records <= maxRecords / 2 && bytes <= maxBytes / 2;
    },
    reserve: (addedBytes, count = 1) => {
      records += count;
      bytes += addedBytes;
    },
    release: (releasedBytes, count = 1) => {
      records -= count;
      bytes -= releasedBytes;
    },
    reset: () => {
      records = 0;
      bytes = 0;
    },
  };
};
