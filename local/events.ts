import type { JsonObject } from "../src/core/json/json.ts";
import { createTrack } from "./events-track.ts";
import { createRandom, type Random } from "./random.ts";
import { createEvenPick, createUsers, createZipfPick, type DemoUser } from "./users.ts";

export { encodeEvent } from "../src/decoding/encoder.ts";
export { frame } from "../src/decoding/frame.ts";
export { poisonRecords } from "./poison.ts";

export interface EventsOptions {
  readonly users: number;
  readonly count: number;
  readonly seed: number;
  /** When the first event happens, in milliseconds since 1970. */
  readonly startAt: number;
  /** How events are spread over users: a few busy users (`zipf`, the default) or all alike (`even`). */
  readonly activity?: "zipf" | "even";
}

type Specifics = JsonObject & { readonly type: string };
type Kind = (user: DemoUser, random: Random) => Specifics;

/**
 * Segment events as an app sends them: mostly track, then identify, group and audience changes, and types that Gainsight
 * does not use. The same options give the same events. Timestamps strictly increase.
 */
export function* createEvents(options: EventsOptions): Generator<JsonObject, void> {
  const { users, count, seed, startAt, activity = "zipf" } = options;
  const random = createRandom(seed ^ 0x5eed);
  const all = createUsers({ users, seed });
  const pickUser = activity === "zipf" ? createZipfPick(all, random) : createEvenPick(all, random);
  let at = startAt;
  for (let index = 0; index < count; index++) {
    const user = pickUser();
    const specifics = pickKind(random)(user, random);
    yield { ...envelope({ user, at, random }), messageId: `gs-${seed}-${index}-${random.hex(8)}`, ...specifics };
    at += 1 + random.below(40);
  }
}

/** The share of each kind in percent. */
const KINDS: readonly (readonly [percent: number, kind: Kind])[] = [
  [70, createTrack],
  [13, createIdentify],
  [6, createGroup],
  [5, createAudienceChange],
  [4, createPage],
  [1, createScreen],
  [1, createAlias],
];

function pickKind(random: Random): Kind {
  let remaining = random.below(100);
  for (const [percent, kind] of KINDS) {
    if (remaining < percent) return kind;
    remaining -= percent;
  }
  return createTrack;
}

function createIdentify(user: DemoUser, random: Random): Specifics {
  const { email, name, plan, accountId, createdAt, company } = user;
  return {
    type: "identify",
    traits: {
      email,
      name,
      plan,
      accountId,
      createdAt,
      logins: random.below(500),
      healthScore: random.below(1_000) / 10 + 0.05,
      isAdmin: random.next() < 0.2,
      nickname: random.next() < 0.3 ? null : name.slice(0, 3),
      address: { street: `Main Street ${random.below(200)}`, city: "Springfield", postalCode: "01101", country: "US" },
      company: { id: accountId, name: company, industry: "Software", employee_count: 10 + random.below(5_000), plan },
    },
  };
}

function createGroup(user: DemoUser, random: Random): Specifics {
  const { accountId, company, plan } = user;
  return {
    type: "group",
    groupId: accountId,
    traits: {
      name: company,
      plan,
      industry: "Software",
      employees: 10 + random.below(5_000),
      annualRevenue: random.below(90_000_000) + 0.5,
      renewalDate: "2027-03-31",
      tags: ["b2b", random.pick(["emea", "amer", "apac"])],
    },
  };
}

/** The event that Segment Engage sends when a user enters or leaves an audience. */
function createAudienceChange(_user: DemoUser, random: Random): Specifics {
  const key = random.pick(["power_users", "at_risk_accounts", "trial_ending_soon"]);
  return {
    type: "identify",
    context: {
      personas: {
        computation_class: "audience",
        computation_id: `aud_${key}`,
        computation_key: key,
        namespace: "spa_demo",
      },
    },
    integrations: { All: false, Gainsight: true },
    traits: { [key]: random.next() < 0.6 },
  };
}

function createPage(_user: DemoUser, random: Random): Specifics {
  const name = random.pick(["Home", "Pricing", "Settings", "Reports"]);
  return { type: "page", name, category: "App", properties: { path: `/${name.toLowerCase()}`, title: name } };
}

function createScreen(_user: DemoUser, random: Random): Specifics {
  return { type: "screen", name: random.pick(["Inbox", "Dashboard"]), properties: { variant: "blue" } };
}

function createAlias(user: DemoUser): Specifics {
  return { type: "alias", previousId: user.anonymousId };
}

function envelope({ user, at, random }: { user: DemoUser; at: number; random: Random }): JsonObject {
  const { os, version, userAgent, timezone, locale } = user.device;
  const iso = (time: number): string => new Date(time).toISOString();
  return {
    userId: user.userId,
    anonymousId: user.anonymousId,
    timestamp: iso(at),
    originalTimestamp: iso(at - 20),
    sentAt: iso(at + 90),
    receivedAt: iso(at + 110 + random.below(50)),
    channel: "browser",
    version: 2,
    context: {
      ip: user.ip,
      userAgent,
      locale,
      timezone,
      library: { name: "analytics.js", version: "next-1.81.0" },
      os: { name: os, version },
      page: { path: "/app", url: "https://app.example.com/app", referrer: "", title: "App" },
      groupId: user.accountId,
    },
    integrations: { All: true },
  };
}
