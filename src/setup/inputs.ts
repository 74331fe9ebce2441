import { UserError } from '../errors.ts';
import { input, oneOf, optional, type Values, verbatim } from '../input.ts';
import { githubToken, signingKey, stallTimeout } from '../shared-inputs.ts';

export const setupInputs = {
  /** Null: any Nix that is installed, else the pinned release. `2.34.4`, `2.34.4@sha256:…` or `system`. */
  nixVersion: input(
    '',
    'Nix version to install if none is found: `version` or `version@sha256:HASH`; `system` never installs Nix.',
    optional,
  ),
  /** Null: the official releases. A mirror has their layout. */
  nixSource: input('', 'Mirror (URL prefix) or local tarball to install Nix from.', optional),
  nixConf: input('', 'Extra lines for nix.conf.', verbatim, 'long'),
  emulate: input(
    'auto',
    'Emulate other systems: only if something must be built for them (`auto`), `always` or `never`.',
    oneOf('auto', 'never', 'always'),
  ),
  qemu: input(
    '',
    "Static qemu to use instead of the distribution's: `path@sha256:HASH` or `URL@sha256:HASH`.",
    pinnedFile,
  ),
  builders: input('', "Remote builders, in Nix's machines format or as YAML.", optional, 'long'),
  cache: input(
    'auto',
    'Keep plans, and builds that no public cache has, in the Actions cache. Needs `signing-key`.',
    oneOf('auto', 'never'),
  ),
  stallTimeout,
  /** For private flake inputs. */
  githubToken,
  /** Signs what goes into the store cache; without it nothing is saved. */
  signingKey,
};

export type SetupInputs = Values<typeof setupInputs>;

/** A path or URL with the hash of its content. */
function pinnedFile(text: string): { source: string; sha256: string } | null {
  if (text.trim() === '') return null;
  const [, source, sha256] = /^(.+)@sha256:([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (source !== undefined && sha256 !== undefined) return { source, sha256 };
  throw new UserError(`'${text.trim()}' is not a path or URL followed by its hash.`, {
    cure: 'Write it as /opt/qemu@sha256: followed by 64 hex digits.',
  });
}
