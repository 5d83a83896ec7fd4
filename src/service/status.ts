import type { Culprit } from "../limits/dead-letter-counts.ts";
import type { App } from "./compose.ts";
import { readinessOf, startupProblemOf } from "./readiness.ts";
import { type ServiceView, activeHoldsOf, lagsOf, parkedUsersOf } from "./service-view.ts";

const settingsStatusOf = ({ settings: { problem, changedAt } }: App) => ({
  ok: problem === undefined,
  ...(problem !== undefined && { problem }),
  since: new Date(changedAt).toISOString(),
});

const deadLetterCauseOf = ({ topic, reason, rule, ...shares }: Culprit) => ({
  topic,
  reason,
  rule: rule ?? null,
  ...shares,
});

/** The body of `/api/status`, which the status page shows. */
export const statusOf = (view: ServiceView) => {
  const { app } = view;
  const { rights, unreadableWatch, deadLetterLimit } = app;
  return {
    ready: readinessOf(view).ok,
    missing: startupProblemOf(view),
    ...(rights.missing.length > 0 && { rights: rights.missing }),
    ...(unreadableWatch.partitions.length > 0 && { unreadable: unreadableWatch.partitions }),
    ...(deadLetterLimit.culprits.length > 0 && { deadLetterLimit: deadLetterLimit.culprits.map(deadLetterCauseOf) }),
    membership: app.group.rebalanceHandler.state,
    holds: activeHoldsOf(app),
    breaker: app.gainsight.delivery.breakerState,
    totals: app.metrics.totals(),
    inFlight: app.gainsight.delivery.inFlight,
    heldRecords: app.budget.records,
    parkedUsers: parkedUsersOf(app),
    settings: settingsStatusOf(app),
    lag: lagsOf(app),
  };
};
