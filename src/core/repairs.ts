/**
 * What is repaired in events that producers write otherwise than Segment specifies. Each repair has a name, which is a label
 * of `gainstream_repairs_total`, and a sentence for people.
 */
export const repairTexts = {
  json_text: "`context`, `integrations`, `traits` or `properties` is JSON text: it is parsed",
} as const;

export type Repair = keyof typeof repairTexts;

/** Where a step notes what it repaired. */
export type Repairs = Repair[];
