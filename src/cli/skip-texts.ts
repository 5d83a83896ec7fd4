import type { SkipReason } from "../core/outcome/outcome.ts";

/** Why the service skips an event, for people. */
export const skipTexts: Readonly<Record<SkipReason, string>> = {
  unsupported_event_type: "gainstream delivers identify, track and group, and skips every other type",
  filtered_by_allow_list: "The setting `events` does not name this track event",
  filtered_by_integrations_object: "The event's `integrations` exclude Gainsight",
  filtered_by_end_user_consent: "The user has not consented to a category of the setting `consent`",
  filtered_by_rule: "A filter in the settings drops the event",
  sampled_out: "A filter in the settings samples users, and does not keep this user",
  duplicate: "An event with this `messageId` was delivered before",
  stale: "A newer event of this user or company was delivered before",
  tombstone: "The record holds no event",
  no_match_key: "The event names nothing by which Gainsight could find the user or company",
};
