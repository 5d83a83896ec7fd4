import { defineConfig } from "vitest/config";

/** These start our programs as processes of their own, which takes seconds: `npm run check` leaves them to `npm test`. */
const programs = [
  ...["any-folder", "quiet", "run", "send", "settings", "skip"].map((name) => `test/cli/${name}.test.ts`),
  "test/local/{demo,guarded}.test.ts",
  "test/standin/command.test.ts",
];
/** These measure how long something takes: no other test runs beside them. */
const timed = ["crash", "holds", "shutdown", "start"].map((name) => `test/journeys/${name}.test.ts`);
const drill = "test/journeys/drill.test.ts";

/** Enough on a busy machine. */
const quick = { testTimeout: 20_000 };

const withKafka = {
  globalSetup: ["test/journeys/global-setup.ts"],
  // Beyond the patience of what a journey waits for: that names what is missing.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

/* A group begins when the one before it has ended. */
export default defineConfig({
  test: {
    // Otherwise one core stays idle: of two, that is half.
    maxWorkers: "100%",
    coverage: {
      provider: "v8",
      include: ["src/core/**", "src/ordering/**", "src/offsets/**", "src/limits/**"],
      thresholds: { branches: 95 },
      reporter: ["text-summary"],
    },
    projects: [
      {
        test: {
          ...quick,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{journeys,security}/**", ...programs],
        },
      },
      { test: { ...quick, name: "programs", include: programs } },
      {
        test: {
          ...withKafka,
          name: "journeys",
          include: ["test/journeys/**/*.test.ts"],
          exclude: [...timed, drill],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...withKafka,
          name: "journeys-timed",
          include: timed,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...withKafka,
          name: "security",
          include: ["test/security/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      { test: { name: "drill", include: [drill], fileParallelism: false, sequence: { groupOrder: 4 } } },
    ],
  },
});
