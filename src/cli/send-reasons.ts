import type { SkipReason } from "../core/outcome/outcome.ts";

/** Why an event is skipped, for people. */
export const skipTexts: Readonly<Record<SkipReason, string>> = {
  unsupported_event_type: "Gainsight takes identify, track and group; every other type is skipped",
  filtered_by_allow_list: "`events` of the settings does not name this track event",
  filtered_by_integrations_object: "The event's `integrations` does not let it go to Gainsight",
  filtered_by_end_user_consent: "The user has not consented to a category that `consent` of the settings names",
  filtered_by_rule: "One of the `filters` of the settings drops the event",
  sampled_out: "One of the `filters` of the settings samples, and does not keep this user",
  duplicate: "An event with this `messageId` was delivered before",
  stale: "A newer event of this user or company was delivered before",
  tombstone: "The record holds no event",
  no_match_key: "The event says nothing by which Gainsight could find the user or company",
};
