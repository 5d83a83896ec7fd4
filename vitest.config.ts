import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    coverage: {
      provider: "v8",
      include: ["src/core/**", "src/ordering/**", "src/offsets/**", "src/limits/**"],
      thresholds: { branches: 95 },
      reporter: ["text-summary"],
    },
    projects: [
      { test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/journeys/**", "test/security/**"] } },
      {
        test: {
          name: "journeys",
          include: ["test/journeys/**/*.test.ts", "test/security/**/*.test.ts"],
          globalSetup: ["test/journeys/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
