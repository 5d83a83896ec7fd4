import { isMatch, isRefuse, type AnsweringFault, type Fault, type LatencyFault, type Scope } from "./fault.ts";
import type { WireObject } from "./json.ts";

/** A fault that is switched on. One that has used up its count stays on the board, idle, until it ends. */
export interface ActiveFault {
  readonly id: string;
  readonly fault: Fault;
  /** Calls it has taken so far. */
  readonly used: number;
  /** ISO 8601 UTC, where it ends by itself. */
  readonly endsAt?: string;
}

/** What the faults do to one call: how long it waits, and the fault that answers it, if any. */
export interface FaultPlan {
  readonly delayMs: number;
  readonly taker?: { readonly id: string; readonly fault: AnsweringFault };
}

export interface FaultBoard {
  readonly add: (fault: Fault) => ActiveFault;
  readonly list: () => readonly ActiveFault[];
  /** Ends one fault, or all; gives the number ended. */
  readonly clear: (id?: string) => number;
  /** Plans one call: every latency that takes it adds up, and the first other fault that takes it answers. */
  readonly plan: (event: WireObject | undefined) => FaultPlan;
  /** Calls back once the fault has ended, at once if it has already; gives a function that calls it off. */
  readonly whenEnded: (id: string, callback: () => void) => () => void;
}

interface Entry {
  readonly id: string;
  readonly fault: Fault;
  readonly waiting: Set<() => void>;
  readonly endsAt?: string;
  timer?: NodeJS.Timeout;
  used: number;
}

interface Draw {
  readonly event: WireObject | undefined;
  readonly random: () => number;
}

const noFaults: FaultPlan = { delayMs: 0 };

const show = ({ timer: _timer, waiting: _waiting, ...shown }: Entry): ActiveFault => shown;

const addedDelay = ({ ms, jitterMs = 0 }: LatencyFault, random: () => number): number => ms + random() * jitterMs;

const isInScope = ({ match, count, ratio }: Scope, used: number, { event, random }: Draw): boolean => {
  if (count !== undefined && used >= count) return false;
  if (match !== undefined && !isMatch(match, event)) return false;
  return ratio === undefined || random() < ratio;
};

const planCall = (entries: Iterable<Entry>, draw: Draw): FaultPlan => {
  let delayMs = 0;
  let taker: FaultPlan["taker"];
  for (const entry of entries) {
    const { id, fault, used } = entry;
    if (isRefuse(fault) || (taker && fault.kind !== "latency") || !isInScope(fault, used, draw)) continue;
    entry.used += 1;
    if (fault.kind === "latency") delayMs += addedDelay(fault, draw.random);
    else taker = { id, fault };
  }
  return taker === undefined ? { delayMs } : { delayMs, taker };
};

/** Holds the faults that are switched on. `random` gives numbers from 0 up to 1. */
export const createFaultBoard = (random: () => number): FaultBoard => {
  const entries = new Map<string, Entry>();
  let added = 0;

  const end = ({ id, timer, waiting }: Entry): void => {
    entries.delete(id);
    clearTimeout(timer);
    for (const callback of waiting) callback();
  };

  return {
    add: (fault) => {
      added += 1;
      const { durationMs } = fault;
      const endsAt = durationMs === undefined ? {} : { endsAt: new Date(Date.now() + durationMs).toISOString() };
      const entry: Entry = { id: `f${added}`, fault, waiting: new Set(), used: 0, ...endsAt };
      if (durationMs !== undefined) entry.timer = setTimeout(() => end(entry), durationMs);
      entries.set(entry.id, entry);
      return show(entry);
    },
    list: () => [...entries.values()].map(show),
    clear: (id) => {
      const chosen = [...entries.values()].filter((entry) => id === undefined || entry.id === id);
      for (const entry of chosen) end(entry);
      return chosen.length;
    },
    plan: (event) => (entries.size === 0 ? noFaults : planCall(entries.values(), { event, random })),
    whenEnded: (id, callback) => {
      const waiting = entries.get(id)?.waiting;
      if (waiting === undefined) callback();
      waiting?.add(callback);
      return () => waiting?.delete(callback);
    },
  };
};
