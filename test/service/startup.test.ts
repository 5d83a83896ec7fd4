import { expect, it } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import type { App } from "../../src/service/compose.ts";
import { join } from "../../src/service/startup.ts";
import { Readiness } from "../../src/service/status.ts";

const nothing = async (): Promise<void> => {};
const log = createLog({ level: "silent" });

it("the start does not go on trying after a mistake of ours: it ends with it", async () => {
  const bug = new TypeError("x is not a function");
  const admin = { connect: () => Promise.reject(bug) };
  const config = { topics: { source: [], retry: [], deadLetter: "dlq" } };
  const app = {
    log,
    admin,
    config,
    rights: {},
    trouble: {},
    producer: { connect: nothing },
    member: {},
  } as unknown as App;
  const readiness = new Readiness();
  const joining = join({ app, readiness, isStopping: () => false, onFatal: () => {} });
  await expect(joining).rejects.toBe(bug);
  expect(readiness.missing).not.toBe("");
});
