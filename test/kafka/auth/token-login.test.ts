import kafkajs, { type AuthenticationProviderArgs, KafkaJSProtocolError } from "kafkajs";
import { describe, expect, it } from "vitest";

import { createTokenLogin } from "../../../src/kafka/auth/token-login.ts";

const framed = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
};

interface Broker {
  /** The broker's answer to each message; an Error is thrown, as kafkajs throws a broker's error. */
  readonly answers: readonly (string | Error)[];
  readonly get?: () => Promise<string>;
  readonly extensions?: Readonly<Record<string, string>>;
}

/** Logs in to a broker with these answers. Returns the messages that it got and the outcome. */
const logIn = async ({ answers, get = async () => "t1", extensions }: Broker) => {
  const sent: string[] = [];
  const refused: string[] = [];
  const left = [...answers];
  const tokens = {
    get,
    invalidate: (value: string) => void refused.push(value),
    hasToken: () => true,
    isFresh: () => true,
    renewIfStale: () => {},
    problem: () => undefined,
  };
  const saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"] = async ({ request, response }) => {
    sent.push(String(await request.encode()));
    const answer = left.shift() ?? "";
    if (answer instanceof Error) throw answer;
    return response?.parse(await response.decode(framed(answer)));
  };
  const login = createTokenLogin({ tokens, extensions, hint: "want another" });
  const args = { host: "b1", port: 9092, saslAuthenticate } as AuthenticationProviderArgs;
  const outcome = await login
    .authenticationProvider(args)
    .authenticate()
    .then(
      () => "in" as const,
      (error: unknown) => error,
    );
  return { sent, refused, outcome, login };
};

describe("createTokenLogin()", () => {
  it("sends the token in the form of RFC 7628", async () => {
    const message = "n,,\u0001auth=Bearer t1\u0001\u0001";
    const { sent, refused, outcome } = await logIn({ answers: [""] });
    expect([sent, refused, outcome]).toEqual([[String(framed(message))], [], "in"]);
  });

  it("sends extensions with the token", async () => {
    const message = "n,,\u0001auth=Bearer t1\u0001logicalCluster=lkc-1\u0001pool=p\u0001\u0001";
    const { sent } = await logIn({ answers: [""], extensions: { logicalCluster: "lkc-1", pool: "p" } });
    expect(sent).toEqual([String(framed(message))]);
  });

  it("recognizes a broker's refusal, and confirms it to the broker", async () => {
    const failure = new KafkaJSProtocolError({ name: "x", message: "invalid credentials" });
    const { sent, refused, outcome } = await logIn({ answers: ['{"status":"invalid_token"}', failure] });
    expect(sent.slice(1)).toEqual([String(framed("\u0001"))]);
    expect(refused).toEqual(["t1"]);
    expect(outcome).toBeInstanceOf(kafkajs.KafkaJSConnectionError);
    expect(outcome).toMatchObject({
      message: "The broker refuses the token: want another (invalid_token)",
      broker: "b1:9092",
    });
  });

  it("treats a broker's error as a refusal too", async () => {
    const { refused, outcome } = await logIn({
      answers: [new KafkaJSProtocolError({ name: "x", message: "Access denied" })],
    });
    expect(refused).toEqual(["t1"]);
    expect(outcome).toMatchObject({
      message: "The broker refuses the token: want another (Access denied)",
      retriable: true,
    });
  });

  it("keeps the token if the broker refuses only to change the principal of the connection", async () => {
    const message = "Cannot change principals during re-authentication from IAM.a/session-1: IAM.a/session-2";
    const { refused, outcome, login } = await logIn({ answers: [new KafkaJSProtocolError({ name: "x", message })] });
    expect([refused, login.problem?.()]).toEqual([[], undefined]);
    expect(outcome).toMatchObject({ message: `The broker wants a new connection: ${message}`, retriable: true });
  });

  it("keeps the token if only the connection breaks", async () => {
    const broken = new kafkajs.KafkaJSConnectionError("Closed connection");
    expect(await logIn({ answers: [broken] })).toMatchObject({ refused: [], outcome: broken });
  });

  it("throws a connection error if there is no token, and throws programming errors", async () => {
    const missing = await logIn({ answers: [], get: () => Promise.reject(new Error("Cannot get a token")) });
    expect(missing).toMatchObject({
      sent: [],
      outcome: { name: "KafkaJSConnectionError", message: "Cannot get a token" },
    });
    const { outcome } = await logIn({ answers: [], get: () => Promise.reject(new TypeError("x is undefined")) });
    expect(outcome).toBeInstanceOf(TypeError);
  });

  it("has a problem while brokers refuse the newest token, even if they accept older ones", async () => {
    const values = ["t1", "t2", "t3"];
    const get = async (): Promise<string> => values.shift() ?? "";
    const ignore = (): void => {};
    const isValid = (): boolean => true;
    const state = { hasToken: isValid, isFresh: isValid, problem: () => "no token" };
    const tokens = { ...state, get, invalidate: ignore, renewIfStale: ignore };
    const login = createTokenLogin({ tokens, hint: "want another" });
    const start = () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const answers = [promise, Promise.resolve("")];
      const saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"] = async ({ response }) =>
        response?.parse(await response.decode(framed((await answers.shift()) ?? "")));
      const args = { host: "b1", port: 9092, saslAuthenticate } as AuthenticationProviderArgs;
      const over = login.authenticationProvider(args).authenticate();
      return async (answer: string): Promise<string | undefined> => {
        resolve(answer);
        await over.catch(() => {});
        return login.problem?.();
      };
    };
    const refusal = '{"status":"invalid_token"}';
    const [first, second] = [start(), start()];
    const sentence = "The broker refuses the token: want another (invalid_token)";
    expect([login.problem?.(), await second(refusal), await first("")]).toEqual(["no token", sentence, sentence]);
    expect(await start()("")).toBe("no token");
  });
});
