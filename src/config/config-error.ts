/** One mistake: where it is, what was given (secrets already masked) and what is wanted. */
export interface Problem {
  readonly variable: string;
  readonly got: string;
  readonly want: string;
}

/** Every mistake in the configuration at once; the message has one line for each. The process ends with exit code 78. */
export class ConfigError extends Error {
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
    super(`Cannot use the configuration, it has ${mistakeCountText(problems)}:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** A mistake as a sentence. */
export const describeProblem = ({ variable, got, want }: Problem): string => `${variable}: got ${got}, want ${want}`;

/** What was given, on one line and of bounded length. */
export const quote = (text: string): string => {
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > 100 ? `'${line.slice(0, 100)}…'` : `'${line}'`;
};

const mistakeCountText = (problems: readonly Problem[]): string =>
  problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
