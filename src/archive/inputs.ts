import { resolve } from 'node:path';
import { input, oneOf, type Values, words, yesOrNo } from '../input.ts';
import { planInputs } from '../plan/inputs.ts';
import { githubToken, signingKey } from '../shared-inputs.ts';
import { archiveKinds } from './archive.ts';

/** How archives are made. */
export const archiveInputs = {
  /** `delta` leaves out what the target can fetch from a cache that it trusts; `none` makes no archives. */
  archive: input('delta', 'What goes into the archives: `delta`, `full` or `none`.', oneOf(...archiveKinds)),
  includeSource: input('false', 'Put the configuration and its nixpkgs into the archive, next to the system.', yesOrNo),
  /** Null: archives are not signed. */
  signingKey,
};

/** Which existing archives are taken instead of building a source. */
export const fetchInputs = {
  from: input(
    '',
    'Archives to deploy instead of building: a folder, `run` for the artifacts of this run, or the number of another run.',
    origin,
  ),
  trustedPublicKeys: input(
    '',
    "Public keys in Nix's form. Each archive that is deployed must be signed by one of them, or by `signing-key`.",
    words,
  ),
  allowUnsigned: input(
    'false',
    'Deploy archives that no key has signed. Anyone who can upload an artifact to the run can then deploy.',
    yesOrNo,
  ),
  /** Archives that this key has signed are accepted too. */
  signingKey,
  /** Which of the archives. */
  hosts: planInputs.hosts,
  /** Where each host runs: there is no source that says it. */
  targets: planInputs.targets,
  /** For artifacts of other runs. */
  githubToken,
};

export type ArchiveInputs = Values<typeof archiveInputs>;
export type FetchInputs = Values<typeof fetchInputs>;

/** A folder, or the number of a run (null: this run). */
function origin(text: string): { directory: string } | { run: number | null } | null {
  const word = text.trim();
  if (word === '') return null;
  if (word === 'run') return { run: null };
  return /^\d+$/.test(word) ? { run: Number(word) } : { directory: resolve(word) };
}
