import { expect, it } from "vitest";

import { LastConnectionError } from "../../src/kafka/connection-error.ts";
import { createLog } from "../../src/ops/log.ts";
import type { App } from "../../src/service/compose.ts";
import { Readiness } from "../../src/service/service-view.ts";
import { runStartup } from "../../src/service/startup.ts";

const log = createLog({ level: "silent" });

it("runStartup() does not retry after a programming error, it rejects with it", async () => {
  const bug = new TypeError("x is not a function");
  const admin = { connect: () => Promise.reject(bug) };
  const config = { topics: { source: [], retry: [], deadLetter: "dlq" } };
  const app = {
    log,
    admin,
    config,
    rights: {},
    lastConnectionError: new LastConnectionError(),
    group: {},
  } as unknown as App;
  const readiness = new Readiness();
  const startup = runStartup({ app, readiness, isStopping: () => false, onFatal: () => {} });
  await expect(startup).rejects.toBe(bug);
  expect(readiness.startupProblem).toBeDefined();
});
