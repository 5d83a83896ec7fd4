/** Loaded before the service (`--import`): makes the wall clock wrong by DRILL_SKEW_MS. Monotonic clocks stay right. */
const skewMs = Number(process.env["DRILL_SKEW_MS"] ?? 0);
const RightDate = Date;

class SkewedDate extends RightDate {
  constructor(...[time = RightDate.now() + skewMs]: [number?]) {
    super(time);
  }

  static override now(): number {
    return RightDate.now() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
