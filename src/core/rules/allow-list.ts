export interface AllowListOptions {
  /** Names of track events to send; empty: every track event goes. */
  readonly events: readonly string[];
  /** `loose`: only letters and digits count, in any case (as Segment compares them); `exact`: character by character. */
  readonly eventMatching: "loose" | "exact";
}

/** What a loose comparison looks at of a name: its letters and digits, in lower case. */
export const looseName = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");

/** The track allow-list: says of an event's name whether it goes to Gainsight. It never concerns identify or group. */
export const createAllowList = ({ events, eventMatching }: AllowListOptions): ((event: string) => boolean) => {
  if (events.length === 0) return () => true;
  const normalise = eventMatching === "loose" ? looseName : (name: string) => name;
  const allowed = new Set(events.map(normalise));
  return (event) => allowed.has(normalise(event));
};
