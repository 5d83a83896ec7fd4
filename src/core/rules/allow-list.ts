export interface EventNameRules {
  /** The names of the track events to deliver; if empty, all track events are delivered. */
  readonly events: readonly string[];
  /** `loose` compares only letters and digits, ignoring case, as Segment does; `exact` compares all characters. */
  readonly eventMatching: "loose" | "exact";
}

/** The letters and digits of a name in lower case: what a loose comparison compares. */
export const toLooseName = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");

/** Makes the test of the track allow-list: whether events of a name are delivered. It does not apply to identify and group. */
export const createEventNameTest = ({ events, eventMatching }: EventNameRules): ((event: string) => boolean) => {
  if (events.length === 0) return () => true;
  const normalise = eventMatching === "loose" ? toLooseName : (name: string) => name;
  const allowed = new Set(events.map(normalise));
  return (event) => allowed.has(normalise(event));
};
