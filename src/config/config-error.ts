/** One mistake in the environment or in the settings file. */
export interface Problem {
  /** The variable, or the path of the setting, such as `settings.filters[0].path`. */
  readonly variable: string;
  /** What is wrong and what is wanted, beginning with the name of the variable. Secrets are masked. */
  readonly sentence: string;
}

/** Every mistake in the configuration at once; the message has one line for each. The process ends with exit code 78. */
export class ConfigError extends Error {
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ sentence }) => `  ${sentence}`);
    super(`Cannot use the configuration because of ${mistakeCountText(problems)}:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** A mistake that one value shows alone. */
export const wrongValue = (variable: string, got: string, want: string): Problem => ({
  variable,
  sentence: `${variable}: got ${got}, want ${want}`,
});

/** A text from outside on one line and of bounded length. */
export const quote = (text: string): string => {
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > 100 ? `'${line.slice(0, 100)}…'` : `'${line}'`;
};

/** A list for people, such as `a, b or c`. */
export const orText = (items: readonly string[]): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;

const mistakeCountText = (problems: readonly Problem[]): string =>
  problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
