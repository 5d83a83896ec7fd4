import { describe, expect, it } from "vitest";

import { RenewedTokens, type Token, fileTokens } from "../../../src/kafka/auth/tokens.ts";

/** A token server whose answers the test gives, and a clock that it sets. */
const createWorld = () => {
  const world = { now: 0, warnings: new Array<string>(), requests: new Array<PromiseWithResolvers<Token>>() };
  const tokens = new RenewedTokens({
    ask: () => {
      const request = Promise.withResolvers<Token>();
      world.requests.push(request);
      return request.promise;
    },
    warn: (sentence) => world.warnings.push(sentence),
    now: () => world.now,
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
  it("asks once, however many connections want a token", async () => {
    const { world, tokens, give } = createWorld();
    const all = [tokens.get(), tokens.get(), tokens.get()];
    await give("t1");
    expect(await Promise.all(all)).toEqual(["t1", "t1", "t1"]);
    world.now = 69_000;
    expect(await tokens.get()).toBe("t1");
    expect(world.requests).toHaveLength(1);
  });

  it("renews a token after 70 % of its life, while the present one counts", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    expect(tokens.isReady()).toBe(true);
    world.now = 70_000;
    expect(tokens.isReady()).toBe(false);
    expect(await tokens.get()).toBe("t1");
    expect(tokens.isReady()).toBe(false);
    expect(world.requests).toHaveLength(2);
    await give("t2");
    expect(tokens.isReady()).toBe(true);
    expect(await tokens.get()).toBe("t2");
  });

  it("keeps a valid token if it cannot be renewed, warns, and asks again after growing pauses", async () => {
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
    expect(world.warnings[0]).toBe("Cannot get a token; the present token is valid for another 30 s");
    expect(tokens.problem()).toBe("Cannot get a token");
    expect(tokens.hasToken()).toBe(false);
    world.now = 200_000;
    tokens.isReady();
    await fail("Still none");
    expect(world.warnings.at(-1)).toBe("Still none");
  });

  it("has no token after its end, says why at once while it pauses, and continues with the next one", async () => {
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

  it("gives a token that came late, and does not ask for ever", async () => {
    const { world, tokens, give } = createWorld();
    const late = tokens.get();
    world.now = 5_000;
    await give("t1", 1_000);
    expect(await late).toBe("t1");
    expect(world.requests).toHaveLength(1);
  });

  it("counts on no token that ends within the exchange with a broker", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    world.now = 99_400;
    expect(tokens.hasToken()).toBe(true);
    world.now = 99_600;
    expect([tokens.hasToken(), await tokens.get()]).toEqual([false, "t1"]);
  });

  it("never gives a token again that the broker has refused, and asks for the next one at most every 5 s", async () => {
    const { world, tokens, give } = createWorld();
    void tokens.get();
    await give("t1");
    world.now = 2_000;
    tokens.refuse("an older one");
    expect(await tokens.get()).toBe("t1");
    tokens.refuse("t1");
    await expect(tokens.get()).rejects.toThrow("The broker has refused the newest token");
    world.now = 5_000;
    const next = tokens.get();
    await give("t2");
    expect(await next).toBe("t2");
    world.now = 60_000;
    tokens.refuse("t2");
    void tokens.get();
    expect(world.requests).toHaveLength(3);
  });

  it("swallows no mistake of this program", async () => {
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
    expect([tokens.isReady(), tokens.hasToken(), tokens.problem()]).toEqual([true, true, undefined]);
  });

  it.each(["", "two words", "t\u0001auth=Bearer other"])("takes no token that is none: %j", async (content) => {
    await expect(fileTokens(() => content).get()).rejects.toThrow(
      `Cannot use KAFKA_SASL_OAUTH_TOKEN_FILE: got ${content.length} characters that are no token`,
    );
  });
});
