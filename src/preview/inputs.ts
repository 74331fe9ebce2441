import { input, oneOf, optional, type Values } from '../input.ts';

export const previewInputs = {
  compare: input(
    'auto',
    'What a preview compares with: what the `target` runs, the `base` commit, or with `auto` the target if it can be asked, else the base.',
    oneOf('auto', 'target', 'base'),
  ),
  /** Null: that of the pull request. */
  base: input(
    '',
    'Commit, branch or tag that is the base of a preview. By default, what the pull request would be merged into.',
    optional,
  ),
};

export type PreviewInputs = Values<typeof previewInputs>;
