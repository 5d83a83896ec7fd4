import { expect, it } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import type { App } from "../../src/service/compose.ts";
import { runStartup } from "../../src/service/startup.ts";
import { Readiness } from "../../src/service/status.ts";

const nothing = async (): Promise<void> => {};
const log = createLog({ level: "silent" });

it("the startup does not retry after a programming error: it fails with it", async () => {
  const bug = new TypeError("x is not a function");
  const admin = { connect: () => Promise.reject(bug) };
  const config = { topics: { source: [], retry: [], deadLetter: "dlq" } };
  const app = {
    log,
    admin,
    config,
    rights: {},
    lastConnectionError: {},
    producer: { connect: nothing },
    group: {},
  } as unknown as App;
  const readiness = new Readiness();
  const joining = runStartup({ app, readiness, isStopping: () => false, onFatal: () => {} });
  await expect(joining).rejects.toBe(bug);
  expect(readiness.startupProblem).not.toBe("");
});
