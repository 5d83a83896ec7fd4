import {
  matchesEvent,
  isRefusingConnections,
  type AnsweringFault,
  type Fault,
  type LatencyFault,
  type FaultScope,
} from "./fault.ts";
import type { WireObject } from "./json.ts";

/** A fault that was added. After `count` calls it stays in the list without effect until it ends. */
export interface ActiveFault {
  readonly id: string;
  readonly fault: Fault;
  /** How many calls it has affected. */
  readonly used: number;
  /** When it ends by itself, in ISO 8601 UTC. */
  readonly endsAt?: string;
}

/** What the faults do to one call: how long it waits, and which fault answers it. */
export interface FaultPlan {
  readonly delayMs: number;
  readonly answeredBy?: { readonly id: string; readonly fault: AnsweringFault };
}

export interface ActiveFaults {
  readonly add: (fault: Fault) => ActiveFault;
  readonly list: () => readonly ActiveFault[];
  /** Ends one fault, or all. Returns how many. */
  readonly clear: (id?: string) => number;
  /** Uses the faults for one call: the latencies in scope add up, and the first other fault in scope answers. */
  readonly useFor: (event: WireObject | undefined) => FaultPlan;
  /** Calls back when the fault ends, at once if it has ended. Returns the function that cancels the callback. */
  readonly onFaultEnd: (id: string, callback: () => void) => () => void;
}

interface FaultEntry {
  readonly id: string;
  readonly fault: Fault;
  readonly endListeners: Set<() => void>;
  readonly endsAt?: string;
  timer?: NodeJS.Timeout;
  used: number;
}

interface CallContext {
  readonly event: WireObject | undefined;
  readonly random: () => number;
}

const noFaults: FaultPlan = { delayMs: 0 };

const withoutInternals = ({ timer: _timer, endListeners: _endListeners, ...fault }: FaultEntry): ActiveFault => fault;

const latencyMs = ({ ms, jitterMs = 0 }: LatencyFault, random: () => number): number => ms + random() * jitterMs;

const isInScope = ({ match, count, ratio }: FaultScope, used: number, { event, random }: CallContext): boolean => {
  if (count !== undefined && used >= count) return false;
  if (match !== undefined && !matchesEvent(match, event)) return false;
  return ratio === undefined || random() < ratio;
};

const useFaults = (entries: Iterable<FaultEntry>, call: CallContext): FaultPlan => {
  let delayMs = 0;
  let answeredBy: FaultPlan["answeredBy"];
  for (const entry of entries) {
    const { id, fault, used } = entry;
    if (isRefusingConnections(fault) || (answeredBy && fault.kind !== "latency") || !isInScope(fault, used, call))
      continue;
    entry.used += 1;
    if (fault.kind === "latency") delayMs += latencyMs(fault, call.random);
    else answeredBy = { id, fault };
  }
  return answeredBy === undefined ? { delayMs } : { delayMs, answeredBy };
};

/** The faults that are active. `random` returns numbers from 0 up to, but not including, 1. */
export const createActiveFaults = (random: () => number): ActiveFaults => {
  const entries = new Map<string, FaultEntry>();
  let addedCount = 0;

  const end = ({ id, timer, endListeners }: FaultEntry): void => {
    entries.delete(id);
    clearTimeout(timer);
    for (const callback of endListeners) callback();
  };

  return {
    add: (fault) => {
      addedCount += 1;
      const { durationMs } = fault;
      const endsAt = durationMs === undefined ? {} : { endsAt: new Date(Date.now() + durationMs).toISOString() };
      const entry: FaultEntry = { id: `f${addedCount}`, fault, endListeners: new Set(), used: 0, ...endsAt };
      if (durationMs !== undefined) entry.timer = setTimeout(() => end(entry), durationMs);
      entries.set(entry.id, entry);
      return withoutInternals(entry);
    },
    list: () => [...entries.values()].map(withoutInternals),
    clear: (id) => {
      const ended = [...entries.values()].filter((entry) => id === undefined || entry.id === id);
      for (const entry of ended) end(entry);
      return ended.length;
    },
    useFor: (event) => (entries.size === 0 ? noFaults : useFaults(entries.values(), { event, random })),
    onFaultEnd: (id, callback) => {
      const endListeners = entries.get(id)?.endListeners;
      if (endListeners === undefined) callback();
      endListeners?.add(callback);
      return () => endListeners?.delete(callback);
    },
  };
};
