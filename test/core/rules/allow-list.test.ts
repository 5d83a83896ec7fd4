import { describe, expect, test } from "vitest";

import { createAllowList } from "../../../src/core/rules/allow-list.ts";

const loose = (...events: string[]) => createAllowList({ events, eventMatching: "loose" });
const exact = (...events: string[]) => createAllowList({ events, eventMatching: "exact" });

describe("createAllowList()", () => {
  test.each(["", "Order Completed", "★"])("lets %j go where the list is empty", (event) => {
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
  ])("takes %j and %j for one name when it looks loosely", (listed, event) => {
    expect(loose("Other", listed)(event)).toBe(true);
    expect(exact("Other", listed)(event)).toBe(false);
  });

  test.each([
    ["Order Completed", "Order Complete"],
    ["Order Completed", "Order Completed 2"],
    ["Step 2", "Step 3"],
    ["Cafe", "Café"],
    ["toString", "constructor"],
  ])("never takes %j for %j", (listed, event) => {
    expect(loose(listed)(event)).toBe(false);
    expect(exact(listed)(event)).toBe(false);
  });

  test("compares character by character when it looks exactly", () => {
    const isAllowed = exact("Order Completed");
    expect(isAllowed("Order Completed")).toBe(true);
    expect(isAllowed("order completed")).toBe(false);
    expect(isAllowed("Order Completed ")).toBe(false);
  });
});
