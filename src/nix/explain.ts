/** What an error of Nix means, in one sentence, and what to write instead. */
export interface Explanation {
  message: string;
  cure: string;
}

const explanations: { pattern: RegExp; explain: (match: RegExpExecArray) => Explanation }[] = [
  {
    // NixOS/nix src/libstore/build/local-derivation-goal.cc; 2.31 and newer say "Required system: '…'".
    pattern: /(?:a '([^']+)' with features \{[^}]*\} is required|Required system: '([^']+)')/,
    explain: ([, old, current]) => ({
      message: `building it needs a machine of system ${old ?? current}, and this one is none`,
      cure: 'Leave `emulate` at auto, name a remote builder in `builders`, or run the job on a runner of that system.',
    }),
  },
  {
    pattern: /No space left on device/,
    explain: () => ({
      message: 'the disk is full',
      cure: 'Free space before the step, or build fewer hosts in one job with `hosts`.',
    }),
  },
];

/** The explanation of the first error known to us in what Nix printed; null when none is. */
export function explainNixError(printed: string): Explanation | null {
  for (const { pattern, explain } of explanations) {
    const match = pattern.exec(printed);
    if (match !== null) return explain(match);
  }
  return null;
}
