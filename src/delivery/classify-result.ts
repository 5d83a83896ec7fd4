import { type CallResult, classify } from "../core/outcome/classify.ts";
import { type Verdict, delivered } from "../core/outcome/outcome.ts";
import type { ResultFalse } from "../core/outcome/result-false.ts";

/** A 2xx response whose body says `result: false`. */
type ResultFalseResponse = ResultFalse & { readonly status: number };

export interface ResultClassifierOptions {
  /** Read for every such response, because the setting may change. */
  readonly failOnResultFalse: () => boolean;
  readonly onResultFalse: (response: ResultFalseResponse) => void;
}

/** As `classify`, but a 2xx with `result: false` is reported, and counts as a failure only if the settings say so. */
export const createResultClassifier = ({ failOnResultFalse, onResultFalse }: ResultClassifierOptions) => {
  const classifyResult = (result: CallResult): Verdict => {
    if (result.kind !== "response" || result.resultFalse === undefined) return classify(result);
    onResultFalse({ ...result.resultFalse, status: result.status });
    return failOnResultFalse() ? classify(result) : delivered;
  };
  return classifyResult;
};
