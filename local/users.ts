import { createRandom, type Random } from "./random.ts";

export interface DemoUser {
  readonly userId: string;
  readonly anonymousId: string;
  readonly name: string;
  readonly email: string;
  readonly plan: string;
  readonly createdAt: string;
  /** Salesforce Account ID of the user's company. */
  readonly accountId: string;
  readonly company: string;
  readonly ip: string;
  readonly device: Device;
}

interface Device {
  readonly os: string;
  readonly version: string;
  readonly userAgent: string;
  readonly timezone: string;
  readonly locale: string;
}

const FIRST = [
  "Ada",
  "Bruno",
  "Chiara",
  "Dmitri",
  "Elif",
  "Farid",
  "Greta",
  "Hana",
  "Iván",
  "Jörg",
  "Keiko",
  "Łucja",
] as const;
const LAST = [
  "Okafor",
  "Lindqvist",
  "Moreau",
  "Tanaka",
  "Schäfer",
  "Novák",
  "Rossi",
  "Haddad",
  "Larsen",
  "Silva",
] as const;
const COMPANIES = [
  "Initech",
  "Umbrella",
  "Globex",
  "Soylent",
  "Hooli",
  "Vandelay",
  "Acme",
  "Stark",
  "Wonka",
  "Tyrell",
] as const;

const DEVICES: readonly [Device, ...Device[]] = [
  {
    os: "macOS",
    version: "15.3",
    userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    timezone: "Europe/Berlin",
    locale: "de-DE",
  },
  {
    os: "Windows",
    version: "11",
    userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    timezone: "America/New_York",
    locale: "en-US",
  },
  {
    os: "iOS",
    version: "19.0",
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    timezone: "Asia/Tokyo",
    locale: "ja-JP",
  },
];

/** Invented users, ten per company. The same seed gives the same users. */
export function createUsers({ users, seed }: { readonly users: number; readonly seed: number }): readonly DemoUser[] {
  const random = createRandom(seed);
  return Array.from({ length: users }, (_unused, index) => createUser(index, random));
}

/** Picks each item equally often. */
export function createEvenPick<T>(items: readonly T[], random: Random): () => T {
  return () => {
    const found = items[random.below(items.length)];
    if (found === undefined) throw new Error(`Cannot pick an item: got ${items.length}, want at least 1`);
    return found;
  };
}

/** Picks few items most of the time: the item of rank n has the weight 1 / n^0.8. */
export function createZipfPick<T>(items: readonly T[], random: Random): () => T {
  const cumulativeWeights: number[] = [];
  let total = 0;
  for (const rank of items.keys()) cumulativeWeights.push((total += 1 / (rank + 1) ** 0.8));
  return () => {
    const at = random.next() * total;
    const found = items[cumulativeWeights.findIndex((weight) => at < weight)];
    if (found === undefined) throw new Error(`Cannot pick an item: got ${items.length}, want at least 1`);
    return found;
  };
}

function createUser(index: number, random: Random): DemoUser {
  const first = random.pick(FIRST);
  const last = random.pick(LAST);
  const account = Math.floor(index / 10);
  return {
    userId: `user-${String(index).padStart(5, "0")}`,
    anonymousId: `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`,
    name: `${first} ${last}`,
    email: `user-${index}@example.com`,
    plan: random.pick(["free", "team", "business", "enterprise"]),
    createdAt: new Date(Date.UTC(2023, random.below(24), 1 + random.below(28))).toISOString(),
    accountId: `001${String(account).padStart(12, "0")}AAA`,
    company: `${COMPANIES[account % COMPANIES.length] ?? "Acme"} ${account}`,
    ip: `192.0.2.${1 + random.below(254)}`,
    device: random.pick(DEVICES),
  };
}
