import type { JsonObject } from "../src/core/json/json.ts";
import type { Random } from "./random.ts";
import type { DemoUser } from "./users.ts";

type Properties = (user: DemoUser, random: Random) => JsonObject;

const NAMES: readonly [readonly [string, Properties], ...(readonly [string, Properties])[]] = [
  ["Order Completed", order],
  ["Product Added", cart],
  ["Cart Viewed", cart],
  ["Feature Used", feature],
  ["Feature Enabled", feature],
  ["Report Exported", file],
  ["File Uploaded", file],
  ["Signed In", session],
  ["Signed Out", session],
  ["Invitation Sent", invitation],
  ["Subscription Upgraded", subscription],
  ["Survey Answered", survey],
];

/** A track event with one of twelve names. Its properties cover every JSON type. */
export function createTrack(user: DemoUser, random: Random): JsonObject & { readonly type: string } {
  const [event, properties] = random.pick(NAMES);
  return { type: "track", event, properties: properties(user, random) };
}

function product(random: Random): JsonObject {
  const id = random.below(900);
  return {
    product_id: `sku-${id}`,
    name: `Widget ${id}`,
    price: 5 + id / 8,
    quantity: 1 + random.below(4),
    coupon: null,
  };
}

function order(user: DemoUser, random: Random): JsonObject {
  const products = Array.from({ length: 1 + random.below(2) }, () => product(random));
  const total = 20 + random.below(90_000) / 100;
  return {
    order_id: `ord-${random.hex(10)}`,
    total,
    currency: "EUR",
    accountId: user.accountId,
    products,
    gift: false,
  };
}

function cart(_user: DemoUser, random: Random): JsonObject {
  return { cart_id: random.hex(12), list: "recommended", position: random.below(30), product: product(random) };
}

function feature(_user: DemoUser, random: Random): JsonObject {
  const name = random.pick(["Dashboards", "Alerts", "API", "Search", "Automation"]);
  return {
    feature: name,
    duration_ms: 20 + random.below(90_000),
    success: random.next() < 0.95,
    tags: ["beta", name],
    experiment: null,
  };
}

function file(_user: DemoUser, random: Random): JsonObject {
  return {
    format: random.pick(["csv", "pdf", "xlsx"]),
    bytes: 1_000 + random.below(2 ** 31),
    rows: random.below(10_000),
    "Shared With": 3,
  };
}

function session(_user: DemoUser, random: Random): JsonObject {
  return {
    method: random.pick(["password", "sso", "magic link"]),
    mfa: random.next() < 0.5,
    session: { id: random.hex(16), depth: 1 },
  };
}

function invitation(user: DemoUser, random: Random): JsonObject {
  return {
    role: random.pick(["viewer", "editor", "owner"]),
    accountId: user.accountId,
    seats_left: random.below(50),
    message: "Willkommen! 🎉",
  };
}

function subscription(user: DemoUser, random: Random): JsonObject {
  return {
    from: user.plan,
    to: "enterprise",
    mrr: 49.5 + random.below(4_000),
    seats: 5 + random.below(200),
    trial: null,
  };
}

function survey(_user: DemoUser, random: Random): JsonObject {
  const answers = ["nps", "ease", "support"].map((question) => ({ question, score: random.below(11) }));
  return { survey: "NPS 2026", nps: random.below(11), answers, comment: "It just works" };
}
