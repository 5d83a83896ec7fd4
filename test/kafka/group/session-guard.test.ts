import { describe, expect, it } from "vitest";

import { Contact } from "../../../src/kafka/group/session-guard.ts";
import { createTestClock } from "../../delivery/test-clock.ts";

const createTestContact = () => {
  const clock = createTestClock();
  const set = { wall: 0, steady: 0 };
  const changes: boolean[] = [];
  const contact = new Contact({
    sessionTimeoutMs: 15_000,
    callTimeoutMs: 10_000,
    now: () => clock.now() + set.wall,
    monotonic: () => clock.now() + set.steady,
    onChange: (hasContact) => void changes.push(hasContact),
  });
  return { clock, set, changes, contact };
};

describe("contact with the group", () => {
  it("is lost while a call begun now could outlast the session", () => {
    const { clock, contact } = createTestContact();
    clock.advance(4_999);
    expect(contact.isLost).toBe(false);
    clock.advance(1);
    expect(contact.isLost).toBe(true);
  });

  it("is there again with the next answer, and says each change once", () => {
    const { clock, contact, changes } = createTestContact();
    clock.advance(60_000);
    expect([contact.isLost, contact.isLost]).toEqual([true, true]);
    contact.heard();
    contact.heard();
    expect(contact.isLost).toBe(false);
    expect(changes).toEqual([false, true]);
  });

  it("is kept by answers that come in time", () => {
    const { clock, contact, changes } = createTestContact();
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      contact.heard();
      expect(contact.isLost).toBe(false);
    }
    expect(changes).toEqual([]);
  });

  it.each([-3_500, -10_000, -3_600_000])("is lost no later where the clock is set by %i ms", (byMs) => {
    const { clock, set, contact } = createTestContact();
    clock.advance(4_000);
    set.wall += byMs;
    expect(contact.isLost).toBe(false);
    clock.advance(1_000);
    expect(contact.isLost).toBe(true);
    contact.heard();
    expect(contact.isLost).toBe(false);
  });

  it("is lost where the machine has slept, though the steady clock stood still meanwhile", () => {
    const { clock, set, contact } = createTestContact();
    clock.advance(60_000);
    set.steady -= 60_000;
    expect(contact.isLost).toBe(true);
  });
});
