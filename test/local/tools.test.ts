import { expect, test } from "vitest";

import { javaMajor, missingTools } from "../../local/tools.ts";

const JAVA_17 = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)';

test.each([
  [JAVA_17, 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ['openjdk version "24-ea" 2025-03-18', 24],
  ["The operation couldn't be completed. Unable to locate a Java Runtime.", undefined],
])("javaMajor(%j) is %s", (printed, major) => {
  expect(javaMajor(printed)).toBe(major);
});

const INSTALL = "; install with 'apt-get install -y openjdk-17-jre-headless maven'";

test.each([
  [JAVA_17, "Apache Maven 3.8.7", undefined],
  [JAVA_17, undefined, `Cannot start a local Kafka: Maven is missing${INSTALL}`],
  [undefined, "", `Cannot start a local Kafka: Java 17 or newer is missing${INSTALL}`],
  ['java version "1.8.0_392"', "", `Cannot start a local Kafka: Java 17 or newer (found Java 8) is missing${INSTALL}`],
  [undefined, undefined, `Cannot start a local Kafka: Java 17 or newer and Maven are missing${INSTALL}`],
])("missingTools() names the missing tools: java %j, maven %j", (java, maven, sentence) => {
  expect(missingTools({ java, maven })).toBe(sentence);
});
