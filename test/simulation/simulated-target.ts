import type { Verdict } from "../../src/core/outcome/outcome.ts";
import type { DeliveryPort } from "../../src/pipeline/ports.ts";

export interface Call {
  readonly userId: string;
  readonly messageId: string;
  /** Answers it; whatever the answer says, the target may have taken it. */
  readonly answer: (verdict: Verdict) => void;
}

/** Gainsight's side of the port: calls are answered by hand, and the gate is moved as the real one moves. */
export const createSimulatedTarget = () => {
  const calls: Call[] = [];
  const gate: { state: DeliveryPort["state"]; isHeld: boolean } = { state: "open", isHeld: false };
  const delivery: DeliveryPort = {
    get state() {
      return gate.state;
    },
    get isHeld() {
      return gate.isHeld;
    },
    attempt: ({ body }, _options, onVerdict) => {
      if (gate.state === "probe") gate.state = "closed";
      const { userId, messageId } = JSON.parse(String(body)) as { userId: string; messageId: string };
      const call: Call = {
        userId,
        messageId,
        answer: (verdict) => {
          calls.splice(calls.indexOf(call), 1);
          if (verdict.kind === "hold") Object.assign(gate, { state: "closed", isHeld: true });
          else if (gate.isHeld && calls.length === 0) Object.assign(gate, { state: "open", isHeld: false });
          queueMicrotask(() => onVerdict(verdict));
        },
      };
      calls.push(call);
    },
  };
  return {
    calls,
    delivery,
    /** One probe may go, if no call is under way. */
    probe: (): void => {
      if (gate.isHeld && calls.length === 0) gate.state = "probe";
    },
    open: (): void => void Object.assign(gate, { state: "open", isHeld: false }),
  };
};

export type SimulatedTarget = ReturnType<typeof createSimulatedTarget>;
