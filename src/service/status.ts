import type { HoldReason } from "../core/outcome/outcome.ts";
import { type Feed, lagOf, pauseReasons } from "../intake/owned-partition.ts";
import type { Culprit } from "../limits/dead-letter-counts.ts";
import type { Snapshot } from "../ops/gauges.ts";
import type { App } from "./compose.ts";
import { type ProgressReading, excuseOf } from "./stall-detector.ts";

/** What is still missing before the service takes part; empty when it does. */
export class Readiness {
  missing = "Starting";
}

/** A service as it is seen from outside: by probes, Prometheus and people. */
export interface Seen {
  readonly app: App;
  readonly readiness: Readiness;
}

const holdsOf = ({ gainsight, member, flood, settings, writes }: App): HoldReason[] => [
  ...gainsight.delivery.holds,
  ...(member.schemas.isHeld ? (["registry_down"] as const) : []),
  ...(writes.isHeld ? (["kafka_unwritable"] as const) : []),
  ...(flood.culprits.length > 0 ? (["flooded"] as const) : []),
  ...(settings.current.paused ? (["paused"] as const) : []),
];

const parkedUsersOf = ({ member: { intake } }: App): number =>
  [...new Set(intake.inlets.map(({ chains }) => chains))].reduce((sum, { users }) => sum + users, 0);

const lagsOf = ({ member: { intake } }: App) =>
  intake.feeds.map((feed) => ({ topic: feed.topic, partition: feed.partition, lag: lagOf(feed) }));

const waitingOf = ({ member: { intake } }: Pick<App, "member">): Record<string, number> =>
  Object.fromEntries(
    pauseReasons.map((reason) => [reason, intake.feeds.filter(({ pauses }) => pauses.has(reason)).length]),
  );

/** For the metrics. */
export const snapshotOf = (app: App): Snapshot => ({
  holds: holdsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  lag: lagsOf(app),
  parkedUsers: parkedUsersOf(app),
  heldRecords: app.budget.records,
  inFlight: app.gainsight.delivery.inFlight,
  concurrencyLimit: app.gainsight.delivery.limit,
  waiting: waitingOf(app),
  unread: app.topicWatch.unread,
  unreadable: app.unreadableWatch.places,
  culprits: app.flood.culprits.map((culprit) => ({ scope: app.flood.isHeld ? "all" : "cause", ...culprit })),
  areSettingsOk: app.settings.problem === undefined,
});

/** The tiers are read before the sources open. A registry that does not answer holds that up, and a hold is no lack of readiness. */
const isSettled = ({ member: { membership, intake, schemas } }: App): boolean =>
  membership.state === "owner" && (intake.isOpen || schemas.isHeld);

/** Why nothing goes at all. */
const missingOf = ({ app, readiness: { missing } }: Seen): string | undefined => missing || app.tokenProblem();

const reasonsOf = (seen: Seen): string[] => {
  const { app } = seen;
  const missing = missingOf(seen);
  if (missing !== undefined) return [missing];
  if (app.silence.sentence !== undefined) return [app.silence.sentence];
  const reasons = [...app.rights.missing, ...app.topicWatch.reasons];
  if (app.member.membership.state !== "owner") return [...reasons, `The group is ${app.member.membership.state}`];
  return isSettled(app) ? reasons : [...reasons, "The retry tiers are being read"];
};

/** For `/readyz`. */
export const readyOf = (seen: Seen) => {
  const reasons = reasonsOf(seen);
  const { topicWatch, unreadableWatch } = seen.app;
  const warnings = [...topicWatch.warnings, ...unreadableWatch.warnings, ...seen.app.flood.warnings];
  return { ok: reasons.length === 0, reasons, holds: holdsOf(seen.app), ...(warnings.length > 0 && { warnings }) };
};

const settingsOf = ({ settings: { problem, since } }: App) => ({
  ok: problem === undefined,
  ...(problem !== undefined && { problem }),
  since: new Date(since).toISOString(),
});

const culpritOf = ({ topic, reason, rule, ...more }: Culprit) => ({ topic, reason, rule: rule ?? null, ...more });

/** For `/api/status` and the page. */
export const statusOf = ({ app, readiness }: Seen) => ({
  ready: readyOf({ app, readiness }).ok,
  missing: missingOf({ app, readiness }),
  ...(app.rights.missing.length > 0 && { rights: app.rights.missing }),
  ...(app.unreadableWatch.places.length > 0 && { unreadable: app.unreadableWatch.places }),
  ...(app.flood.culprits.length > 0 && { deadLetterLimit: app.flood.culprits.map(culpritOf) }),
  membership: app.member.membership.state,
  holds: holdsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  totals: app.metrics.totals(),
  inFlight: app.gainsight.delivery.inFlight,
  heldRecords: app.budget.records,
  parkedUsers: parkedUsersOf(app),
  settings: settingsOf(app),
  lag: lagsOf(app),
});

/** For liveness: what moves, what is held, and what excuses standing still. */
export const progressOf = ({ app, readiness }: Seen): ProgressReading => {
  const { contact, member, metrics, budget } = app;
  const membership = member.membership.state;
  const excuse = excuseOf({
    missing: readiness.missing,
    membership,
    // Where only the events of one cause wait, the others have to move.
    holds: holdsOf(app).filter((hold) => hold !== "flooded" || app.flood.isHeld),
    // Only a member can lose contact; before the first join there was none.
    hasContact: membership !== "owner" || !contact.isLost,
  });
  // A partition that waits for room where nothing is held would wait for ever.
  const held = budget.records + (waitingOf(app)["budget"] ?? 0);
  return { finished: metrics.moves(), held, excuse };
};

const partitionOf = ({ topic, partition, inlet, high, pauses, scan }: Feed) => ({
  topic,
  partition,
  position: inlet?.tracker.position ?? scan?.position,
  mark: inlet?.tracker.mark,
  high,
  pauses: [...pauses.keys()],
  parkedUsers: inlet?.chains.users,
});

/** For the log, where the service stands still and nobody knows why. Without users, keys and payloads. */
export const dumpOf = ({ app }: Seen) => ({
  membership: app.member.membership.state,
  holds: holdsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  gate: app.gainsight.delivery.state,
  inFlight: app.gainsight.delivery.inFlight,
  working: app.stream.working,
  heldRecords: app.budget.records,
  heldBytes: app.budget.bytes,
  partitions: app.member.intake.feeds.map(partitionOf),
});
