/** How much may be held in memory at a time, over all partitions. */
export interface BudgetLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

export interface Budget {
  readonly records: number;
  readonly bytes: number;
  /** No further record may be taken up. */
  readonly isFull: boolean;
  /** Enough has been finished to take up records again: half of the limit, so that pausing and resuming do not flutter. */
  readonly hasRoom: boolean;
  /** Takes up a record, or with `records` 0 only what several share. */
  add(bytes: number, records?: number): void;
  remove(bytes: number, records?: number): void;
  /** Nothing is held any more. */
  reset(): void;
}

/** One budget, in records and bytes, for everything between intake and commit. */
export const createBudget = ({ maxRecords, maxBytes }: BudgetLimits): Budget => {
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
    get hasRoom() {
      return records <= maxRecords / 2 && bytes <= maxBytes / 2;
    },
    add: (more, count = 1) => {
      records += count;
      bytes += more;
    },
    remove: (less, count = 1) => {
      records -= count;
      bytes -= less;
    },
    reset: () => {
      records = 0;
      bytes = 0;
    },
  };
};
