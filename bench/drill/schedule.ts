import { createRandom, type Random } from "../../local/random.ts";

/** Faults that happen one after the other, each with time to recover. */
export type MainKind =
  | "kill"
  | "freeze"
  | "bounce"
  | "skew"
  | "join"
  | "leave"
  | "broker"
  | "registry"
  | "disk-full"
  | "outage-503"
  | "outage-refuse"
  | "outage-hang"
  | "outage-reset"
  | "throttled"
  | "revoked"
  | "rotated"
  | "slow"
  | "late"
  | "lost-answer"
  | "grow"
  | "anew"
  | "rights";

/** Faults of single users and events. They happen at the same time as the main faults. */
export type SideKind = "unlucky" | "refused" | "poison" | "repeats";

export interface Fault<Kind = MainKind | SideKind> {
  readonly kind: Kind;
  /** When it starts, in milliseconds after the first event. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** How long its track pauses afterwards. */
  readonly restMs: number;
  /** From 0 (inclusive) to 1 (exclusive): chooses the instance, broker or group of users. */
  readonly pick: number;
}

export interface Schedule {
  readonly main: readonly Fault<MainKind>[];
  readonly side: readonly Fault<SideKind>[];
  readonly lengthMs: number;
}

interface Times {
  /** The minimum and the maximum, in seconds. */
  readonly lasts: readonly [number, number];
  readonly rest: number;
}

/** After kill -9 the partitions have no owner until the session time-out of 15 s. */
const mainTimes: Readonly<Record<MainKind, Times>> = {
  kill: { lasts: [1, 8], rest: 20 },
  freeze: { lasts: [18, 22], rest: 12 },
  bounce: { lasts: [0, 3], rest: 8 },
  skew: { lasts: [0, 3], rest: 10 },
  join: { lasts: [0, 0], rest: 8 },
  leave: { lasts: [0, 0], rest: 8 },
  broker: { lasts: [6, 12], rest: 12 },
  registry: { lasts: [8, 14], rest: 8 },
  "disk-full": { lasts: [8, 15], rest: 10 },
  "outage-503": { lasts: [10, 30], rest: 12 },
  "outage-refuse": { lasts: [10, 20], rest: 12 },
  "outage-hang": { lasts: [15, 25], rest: 12 },
  "outage-reset": { lasts: [10, 20], rest: 12 },
  throttled: { lasts: [8, 15], rest: 10 },
  revoked: { lasts: [8, 15], rest: 10 },
  rotated: { lasts: [5, 10], rest: 10 },
  slow: { lasts: [8, 15], rest: 8 },
  late: { lasts: [8, 15], rest: 10 },
  "lost-answer": { lasts: [8, 15], rest: 8 },
  grow: { lasts: [0, 0], rest: 6 },
  anew: { lasts: [0, 3], rest: 10 },
  rights: { lasts: [8, 12], rest: 12 },
};

const sideTimes: Readonly<Record<SideKind, Times>> = {
  unlucky: { lasts: [15, 45], rest: 10 },
  refused: { lasts: [3, 5], rest: 10 },
  poison: { lasts: [3, 5], rest: 10 },
  repeats: { lasts: [1, 2], rest: 10 },
};

/** The faults of a short drill. The registry outage also starts an instance. */
const shortTimes: Partial<Record<MainKind, Times>> = {
  kill: { lasts: [2, 3], rest: 17 },
  registry: { lasts: [7, 8], rest: 5 },
  "outage-503": { lasts: [7, 8], rest: 6 },
  throttled: { lasts: [5, 6], rest: 5 },
  broker: { lasts: [5, 6], rest: 7 },
  leave: { lasts: [0, 0], rest: 5 },
};

const shortSideTimes: Readonly<Record<SideKind, Times>> = {
  unlucky: { lasts: [15, 20], rest: 5 },
  refused: { lasts: [3, 4], rest: 5 },
  poison: { lasts: [3, 4], rest: 5 },
  repeats: { lasts: [1, 2], rest: 5 },
};

const warmUpMs = 6_000;

const seconds = ([least, most]: readonly [number, number], random: Random): number =>
  Math.round((least + random.next() * (most - least)) * 1_000);

const shuffle = <T>(items: readonly T[], random: Random): T[] => {
  const keyed = items.map((item) => ({ item, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
};

/** All kinds again and again, each time in a new order. */
function* cycleKinds<Kind extends string>(times: Readonly<Partial<Record<Kind, Times>>>, random: Random) {
  const entries = Object.entries(times) as [Kind, Times][];
  for (;;) yield* shuffle(entries, random);
}

const scheduleFaults = <Kind extends string>(
  kinds: Iterable<[Kind, Times]>,
  { untilMs, random }: { untilMs: number; random: Random },
): Fault<Kind>[] => {
  const faults: Fault<Kind>[] = [];
  let atMs = warmUpMs;
  for (const [kind, { lasts, rest }] of kinds) {
    const fault = { kind, atMs, lastsMs: seconds(lasts, random), restMs: rest * 1_000, pick: random.next() };
    atMs += fault.lastsMs + fault.restMs;
    if (atMs > untilMs) break;
    faults.push(fault);
  }
  return faults;
};

/** The faults of a drill of this many minutes. The same seed and minutes give the same faults. */
export const planLong = ({ seed, minutes }: { seed: number; minutes: number }): Schedule => {
  const lengthMs = minutes * 60_000;
  const random = createRandom(seed);
  const main = scheduleFaults(cycleKinds(mainTimes, random), { untilMs: lengthMs, random });
  const side = scheduleFaults(cycleKinds(sideTimes, random), { untilMs: lengthMs, random });
  return { main, side, lengthMs };
};

/** The shortest drill that has every fault that each test run must show. */
export const planShort = ({ seed }: { seed: number }): Schedule => {
  const random = createRandom(seed);
  const kinds = shuffle(Object.entries(shortTimes) as [MainKind, Times][], random);
  const main = scheduleFaults(kinds, { untilMs: Number.POSITIVE_INFINITY, random });
  const { atMs, lastsMs, restMs } = main.at(-1) ?? { atMs: 0, lastsMs: 0, restMs: 0 };
  const lengthMs = atMs + lastsMs + restMs;
  return { main, side: scheduleFaults(cycleKinds(shortSideTimes, random), { untilMs: lengthMs, random }), lengthMs };
};
