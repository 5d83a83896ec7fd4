import { describe, expect, it } from "vitest";

import { RenewedTokens, type Token, fileTokens } from "../../../src/kafka/auth/tokens.ts";

/** A token server and a clock that the test controls. */
const createWorld = () => {
  const world = { now: 0, warnings: new Array<string>(), requests: new Array<PromiseWithResolvers<Token>>() };
  const tokens = new RenewedTokens({
    requestToken: () => {
      const request = Promise.withResolvers<Token>();
      world.requests.push(request);
      return request.promise;
    },
    warn: (sentence) => world.warnings.push(sentence),
    monotonicNow: () => world.now,
    random: () => 0.5,
  });
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return {
    world,
    tokens,
    give: async (value: string, lifetimeMs = 100_000) => {
      world.requests.at(-1)?.resolve({ value, lifetimeMs });
      await settled();
    },
    fail: async (message: string) => {
      world.requests.at(-1)?.reject(new Error(message));
      await settled();
    },
  };
};

describe("RenewedTokens", () => {
  it("sends one request, however many connections want a token", async () => {
    const { world, tokens, give } = createWorld();
    const all = [tokens.get(), tokens.get(), tokens.get()];
    await give("t1");
    expect(await Promise.all(all)).toEqual(["t1", "t1", "t1"]);
    world.now = 69_000;
    expect(await tokens.get()).toBe("t1");
    expect(world.requests).toHaveLength(1);
  });

  it("renews a token after 70 % of its lifetime, while the current one stays in use", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    expect(tokens.isFresh()).toBe(true);
    world.now = 70_000;
    expect(tokens.isFresh()).toBe(false);
    expect(world.requests).toHaveLength(1);
    expect(await tokens.get()).toBe("t1");
    expect(tokens.isFresh()).toBe(false);
    tokens.renewIfStale();
    expect(world.requests).toHaveLength(2);
    await give("t2");
    expect(tokens.isFresh()).toBe(true);
    expect(await tokens.get()).toBe("t2");
  });

  it("keeps a valid token if it cannot be renewed, warns, and repeats the request after pauses that grow", async () => {
    const { world, tokens, give, fail } = createWorld();
    void tokens.get();
    await give("t1");
    const askedAt: number[] = [];
    for (world.now = 70_000; world.now < 100_000; world.now += 250) {
      const before = world.requests.length;
      expect(await tokens.get()).toBe("t1");
      if (world.requests.length === before) continue;
      askedAt.push(world.now);
      await fail("Cannot get a token");
    }
    expect(askedAt).toEqual([70_000, 70_750, 72_250, 75_250, 81_250, 93_250]);
    expect(world.warnings[0]).toBe("Cannot get a token; the current token is valid for another 30 s");
    expect(tokens.problem()).toBe("Cannot get a token");
    expect(tokens.hasToken()).toBe(false);
    world.now = 200_000;
    tokens.renewIfStale();
    await fail("Still none");
    expect(world.warnings.at(-1)).toBe("Still none");
  });

  it("has no token after the end of its lifetime, says why at once during a pause, and continues with the next one", async () => {
    const { world, tokens, give, fail } = createWorld();
    const first = tokens.get().catch((error: unknown) => error);
    await fail("Cannot get a token");
    expect(await first).toEqual(new Error("Cannot get a token"));
    await expect(tokens.get()).rejects.toThrow("Cannot get a token");
    expect(world.requests).toHaveLength(1);
    expect(world.warnings).toEqual([]);
    world.now = 1_000;
    const second = tokens.get();
    await give("t1");
    expect(await second).toBe("t1");
    expect([tokens.problem(), tokens.hasToken()]).toEqual([undefined, true]);
  });

  it("returns a token even if it is stale on arrival, and sends no second request", async () => {
    const { world, tokens, give } = createWorld();
    const late = tokens.get();
    world.now = 5_000;
    await give("t1", 1_000);
    expect(await late).toBe("t1");
    expect(world.requests).toHaveLength(1);
  });

  it("has no token for a log-in if the token would expire during it", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    world.now = 99_400;
    expect(tokens.hasToken()).toBe(true);
    world.now = 99_600;
    expect([tokens.hasToken(), await tokens.get()]).toEqual([false, "t1"]);
  });

  it("never returns a token again that a broker has refused, and requests the next one at most every 5 s", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    world.now = 2_000;
    tokens.invalidate("an older one");
    expect(await tokens.get()).toBe("t1");
    tokens.invalidate("t1");
    await expect(tokens.get()).rejects.toThrow("The broker has refused the newest token");
    world.now = 5_000;
    const next = tokens.get();
    await give("t2");
    expect(await next).toBe("t2");
    world.now = 60_000;
    tokens.invalidate("t2");
    void tokens.get();
    expect(world.requests).toHaveLength(3);
  });

  it("throws programming errors", async () => {
    const { world, tokens } = createWorld();
    const first = tokens.get();
    world.requests[0]?.reject(new TypeError("x is not a function"));
    await expect(first).rejects.toThrow(TypeError);
  });
});

describe("fileTokens()", () => {
  it("reads the file for every log-in", async () => {
    let content = "t1";
    const tokens = fileTokens(() => content);
    expect(await tokens.get()).toBe("t1");
    content = "t2";
    expect(await tokens.get()).toBe("t2");
    expect([tokens.isFresh(), tokens.hasToken(), tokens.problem()]).toEqual([true, true, undefined]);
  });

  it.each(["", "two words", "t\u0001auth=Bearer other"])("refuses text that is no token: %j", async (content) => {
    await expect(fileTokens(() => content).get()).rejects.toThrow(
      `Cannot use KAFKA_SASL_OAUTH_TOKEN_FILE: got ${content.length} characters that are no token, want printable ASCII without blanks`,
    );
  });
});
