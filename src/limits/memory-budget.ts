/** How much of all partitions may be in memory at a time. */
export interface MemoryBudgetLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** The limits of the service: enough to fetch again before the work runs out, little enough for 200 MB of memory. */
export const memoryBudgetLimits: MemoryBudgetLimits = { maxRecords: 4_000, maxBytes: 32 * 1024 * 1024 };

/** The records in memory between intake and commit, and their bytes, against a limit for both. */
export interface MemoryBudget {
  readonly records: number;
  readonly bytes: number;
  /** A limit is reached: no further record may be read. */
  readonly isFull: boolean;
  /** At most half of both limits is used: records may be read again. The gap to `isFull` keeps partitions from pausing and resuming by turns. */
  readonly isHalfFree: boolean;
  /** Adds records and bytes. `records` is 0 for bytes that several work items share. */
  reserve(bytes: number, records?: number): void;
  /** Takes back what `reserve` added. */
  release(bytes: number, records?: number): void;
  /** Releases everything. */
  reset(): void;
}

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
