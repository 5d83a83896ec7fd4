import { describe } from "vitest";

import { asJson, journey, patient, trackEvent } from "./story.ts";

/** The nth event of a user, on partition 0. */
const record = (user: string, n: number) => Object.assign(asJson(trackEvent(user, n)), { partition: 0 });
const users = Array.from({ length: 3_000 }, (_, index) => `u${index}`);
const batch = () => users.map((user) => record(user, 1));

describe("repeats", () => {
  /*
   * A producer sends 3,000 events to one partition, restarts, and sends the same 3,000 again. The service skips all of
   * the second 3,000 as duplicates, without a call. The five new events after them are delivered at once.
   */
  journey("a repeated batch does not delay the events after it", async ({ story, expect }) => {
    const service = await story.start();
    await story.produce(batch());
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(3_000);

    await story.produce(batch());
    await story.produce(users.slice(0, 5).map((user) => record(user, 2)));
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(3_005);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expect.poll(() => service.metric("gainstream_events_total", { reason: "duplicate" }), patient).toBe(3_000);
    await expect.poll(async () => (await story.committed())[0], patient).toBe(6_005);
    expect(await service.metric("gainstream_partitions_waiting", { reason: "budget" })).toBe(0);
    expect(await service.stop()).toBe(0);
  });
});
