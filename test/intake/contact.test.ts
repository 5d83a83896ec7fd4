import { describe, expect, it } from "vitest";

import { Contact } from "../../src/intake/contact.ts";
import { createTestClock } from "../delivery/test-clock.ts";

const createTestContact = () => {
  const clock = createTestClock();
  const changes: boolean[] = [];
  const contact = new Contact({
    sessionTimeoutMs: 15_000,
    callTimeoutMs: 10_000,
    now: clock.now,
    onChange: (hasContact) => void changes.push(hasContact),
  });
  return { clock, changes, contact };
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

  it("is lost where the clock was set back: nobody knows how long the group has been silent", () => {
    const { clock, contact } = createTestContact();
    clock.advance(-60_000);
    expect(contact.isLost).toBe(true);
    contact.heard();
    expect(contact.isLost).toBe(false);
  });
});
