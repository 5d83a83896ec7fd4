import { createRequire } from "node:module";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
}

interface RequestQueueClass {
  readonly prototype: RequestQueue & { scheduleCheckPendingRequests(): void };
}

const idleCheckMs = 10;

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay for ever, on every connection: two thousand wake-ups a second, and a
 * TimeoutNegativeWarning, while idle. This replaces that one method; without it the idle CPU is three times as high.
 * kafkajs is pinned exactly because of it; the first test to fail after an update is test/kafka/timer-patch.test.ts.
 */
export const patchTimer = (): void => {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = require("kafkajs/src/network/requestQueue") as RequestQueueClass;
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    if (this.throttleCheckTimeoutId) return;
    const throttledMs = this.throttledUntil - Date.now();
    if (this.pending.length === 0 && throttledMs <= 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(throttledMs, idleCheckMs),
    );
  };
};
