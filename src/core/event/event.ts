import type { JsonObject } from "../json/json.ts";

/**
 * A Segment event in its normal form: camelCase envelope, plain JSON below, absent fields absent.
 * Nothing here is validated yet; `parseEvent` in `core/rules/validate.ts` is what turns it into a `SegmentEvent`.
 * Source: Segment's specification of the common fields.
 */
export type RawEvent = JsonObject;

interface CommonFields {
  /** The whole event, as it goes to Gainsight. */
  readonly raw: RawEvent;
}

export interface IdentifyEvent extends CommonFields {
  readonly type: "identify";
}

export interface TrackEvent extends CommonFields {
  readonly type: "track";
  readonly event: string;
}

export interface GroupEvent extends CommonFields {
  readonly type: "group";
  readonly groupId: string;
}

/** A kind of call that Gainsight has no use for: page, screen, alias, delete and whatever comes next. */
export interface OtherEvent extends CommonFields {
  readonly type: "other";
  /** What the event calls itself. */
  readonly name: string;
}

export type SegmentEvent = IdentifyEvent | TrackEvent | GroupEvent | OtherEvent;
