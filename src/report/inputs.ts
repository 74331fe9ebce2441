import { input, type Values, yesOrNo } from '../input.ts';
import { githubToken } from '../shared-inputs.ts';

export const reportInputs = {
  comment: input('false', 'Keep a comment with the plan on the pull request. Needs `github-token`.', yesOrNo),
  /** Writes the comment. */
  githubToken,
};

export type ReportInputs = Values<typeof reportInputs>;
