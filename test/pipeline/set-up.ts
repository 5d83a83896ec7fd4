import type { Retry, Verdict } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { type Rig, parsedOf, createOwner, createRig, turns } from "./rig.ts";

export const failed: Retry = {
  kind: "retry",
  reason: "server_error",
  error: "Gainsight failed with status 503",
  status: 503,
};

export const setUp = (options: Parameters<typeof createRig>[0] = {}) => {
  const rig = createRig(options);
  const owner = createOwner(rig);
  let next = 0;
  const source = (...names: string[]): void => {
    for (const name of names) owner.enqueue(owner.source, parsedOf(name, next), next++);
  };
  const odd = (more: Partial<ParsedRecord>): void => owner.enqueue(owner.source, parsedOf("x", next, more), next++);
  const tier = (number: number, parsed: ParsedRecord, offset: number): void => {
    const owned = owner.retryTopics[number];
    if (owned) owner.enqueue(owned, parsed, offset);
  };
  return { ...rig, ...owner, owned: owner.source, source, odd, tier };
};

export const answer = async ({ calls }: Pick<Rig, "calls">, name: string, verdict: Verdict): Promise<void> => {
  const call = calls.find(({ body }) => body === name);
  if (!call) throw new Error(`No call of ${name} is in flight, only ${calls.map(({ body }) => body).join()}`);
  call.answer(verdict);
  await turns();
};
export const acknowledge = async ({ writes }: Pick<Rig, "writes">): Promise<void> => {
  writes[0]?.answer("written");
  await turns();
};
export const fire = async ({ timers }: Pick<Rig, "timers">): Promise<void> => {
  for (const { callback } of timers.splice(0)) callback();
  await turns();
};
export const inFlight = ({ calls }: Pick<Rig, "calls">) => calls.map(({ body }) => body);
export const outcomes = ({ ended }: Pick<Rig, "ended">) => ended.map(({ name, outcome }) => `${name} ${outcome.kind}`);
/** A whole round of failed calls, up to the write. */
export const exhaust = async (rig: Pick<Rig, "calls" | "timers">, name: string): Promise<void> => {
  await answer(rig, name, failed);
  await fire(rig);
  await answer(rig, name, failed);
};
