import type { App } from "./compose.ts";
import { type ServiceView, activeHoldsOf } from "./service-view.ts";

/** Why the service takes no part at all, as a sentence. */
export const startupProblemOf = ({ app, readiness }: ServiceView): string | undefined =>
  readiness.startupProblem ?? app.tokenProblem();

/** The retry topics are read before the sources open. A registry that is down delays that, and a hold is no lack of readiness. */
const isServing = ({ group: { rebalanceHandler, ingest, schemaWait } }: App): boolean =>
  rebalanceHandler.state === "owner" && (ingest.areAllOpen || schemaWait.isHeld);

const notReadyReasonsOf = (view: ServiceView): string[] => {
  const { app } = view;
  const startupProblem = startupProblemOf(view);
  if (startupProblem !== undefined) return [startupProblem];
  if (app.watchdog.problem !== undefined) return [app.watchdog.problem];
  const reasons = [...app.rights.missing, ...app.topicWatch.problems];
  const { state } = app.group.rebalanceHandler;
  if (state !== "owner") return [...reasons, `The group is ${state}`];
  return isServing(app) ? reasons : [...reasons, "The retry topics are being read"];
};

/** The body of `/readyz`. */
export const readinessOf = (view: ServiceView) => {
  const reasons = notReadyReasonsOf(view);
  const { topicWatch, unreadableWatch, deadLetterLimit } = view.app;
  const warnings = [...topicWatch.warnings, ...unreadableWatch.warnings, ...deadLetterLimit.warnings];
  return {
    ok: reasons.length === 0,
    reasons,
    holds: activeHoldsOf(view.app),
    ...(warnings.length > 0 && { warnings }),
  };
};
