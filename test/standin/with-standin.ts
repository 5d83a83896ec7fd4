import { createStandin, type Standin } from "../../src/standin/standin.ts";

export const accessKey = "test-key";

export const sampleEvent = {
  type: "track",
  event: "Order Completed",
  messageId: "m1",
  userId: "u1",
  timestamp: "2026-01-31T12:00:00.000Z",
  properties: { accountId: "a1" },
};

/** Runs a story against a new stand-in and closes it at the end. */
export const withStandin = async (story: (standin: Standin) => Promise<void>): Promise<void> => {
  const standin = await createStandin({ accessKey });
  try {
    await story(standin);
  } finally {
    await standin.close();
  }
};

/** Sends one event as Gainsight's clients do. `change` overrides parts of the request. */
export const sendEvent = (
  standin: Standin,
  event: unknown = sampleEvent,
  change: RequestInit = {},
): Promise<Response> =>
  fetch(`${standin.url}/clickstream/segmentio/event`, {
    method: "POST",
    redirect: "manual",
    headers: { accessKey, "Content-Type": "application/json" },
    body: JSON.stringify(event),
    ...change,
  });

/** The code of a network failure, such as ECONNREFUSED. */
export const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "no failure";
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && "code" in cause ? String(cause.code) : String(error);
  }
};
