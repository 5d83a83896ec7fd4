import { type CallResult, classify } from "../core/outcome/classify.ts";
import { type Verdict, delivered } from "../core/outcome/outcome.ts";
import type { ResultFalse } from "../core/outcome/result-false.ts";

export interface ResultClassifierOptions {
  /** Asked anew for each answer: it is a setting. */
  readonly failOnResultFalse: () => boolean;
  readonly onResultFalse: (result: ResultFalse & { readonly status: number }) => void;
}

/** What an answer means; a 2xx with `result: false` is reported, and a failure only if the settings say so. */
export const createResultClassifier =
  ({ failOnResultFalse, onResultFalse }: ResultClassifierOptions) =>
  (result: CallResult): Verdict => {
    if (result.kind !== "response" || result.resultFalse === undefined) return classify(result);
    onResultFalse({ ...result.resultFalse, status: result.status });
    return failOnResultFalse() ? classify(result) : delivered;
  };
