import { type Answer, classify } from "../core/outcome/classify.ts";
import { type Verdict, delivered } from "../core/outcome/outcome.ts";
import type { ResultFalse } from "../core/outcome/result-false.ts";

export interface JudgeOptions {
  /** Asked anew for each answer: it is a setting. */
  readonly failOnResultFalse: () => boolean;
  readonly onResultFalse: (answer: ResultFalse & { readonly status: number }) => void;
}

/** What an answer means; a 2xx with `result: false` is reported, and a failure only if the settings say so. */
export const createJudge =
  ({ failOnResultFalse, onResultFalse }: JudgeOptions) =>
  (answer: Answer): Verdict => {
    if (answer.kind !== "response" || answer.resultFalse === undefined) return classify(answer);
    onResultFalse({ ...answer.resultFalse, status: answer.status });
    return failOnResultFalse() ? classify(answer) : delivered;
  };
