import { describe, expect, test } from "vitest";

import { createEventNameTest } from "../../../src/core/rules/allow-list.ts";

const loose = (...events: string[]) => createEventNameTest({ events, eventMatching: "loose" });
const exact = (...events: string[]) => createEventNameTest({ events, eventMatching: "exact" });

describe("createEventNameTest()", () => {
  test.each(["", "Order Completed", "★"])("passes %j if the list is empty", (event) => {
    expect(loose()(event)).toBe(true);
    expect(exact()(event)).toBe(true);
  });

  test.each([
    ["My Event", "my_event"],
    ["My Event", "myEvent"],
    ["My Event", "MY-EVENT"],
    ["My Event", "  my. event! "],
    ["my_event", "My Event"],
    ["Step 2", "step2"],
    ["Café Visited", "cafe\u0301_visited"],
    ["ÜBERWEISUNG", "überweisung"],
    ["Заказ Оформлен", "заказ_оформлен"],
    ["注文 完了", "注文完了"],
    ["Level ٣", "level-٣"],
    ["🎉 Party", "party"],
  ])("takes %j and %j for the same name with loose matching", (listed, event) => {
    expect(loose("Other", listed)(event)).toBe(true);
    expect(exact("Other", listed)(event)).toBe(false);
  });

  test.each([
    ["Order Completed", "Order Complete"],
    ["Order Completed", "Order Completed 2"],
    ["Step 2", "Step 3"],
    ["Cafe", "Café"],
    ["toString", "constructor"],
  ])("takes %j and %j for different names", (listed, event) => {
    expect(loose(listed)(event)).toBe(false);
    expect(exact(listed)(event)).toBe(false);
  });

  test("compares all characters with exact matching", () => {
    const isAllowed = exact("Order Completed");
    expect(isAllowed("Order Completed")).toBe(true);
    expect(isAllowed("order completed")).toBe(false);
    expect(isAllowed("Order Completed ")).toBe(false);
  });
});
