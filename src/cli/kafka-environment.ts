import type { Environment } from "../config/env/read-config.ts";

/** The process's environment for a command that calls Kafka only: Gainsight's access key may be missing. */
export const kafkaEnvironment = (): Environment => ({
  ...process.env,
  GAINSIGHT_ACCESS_KEY: "00000000-0000-4000-8000-000000000000",
  GAINSIGHT_ACCESS_KEY_FILE: undefined,
});
