/**
 * Where a run creates its directories: the first of `parents` whose path is valid in a store's address, in a list of
 * nix.conf, in NIX_SSHOPTS and in a line for binfmt_misc; else /tmp. A self-hosted runner may be installed in
 * `/home/ci/actions runner`.
 */
export function scratchParent(...parents: readonly (string | undefined)[]): string {
  return parents.find(parent => parent !== undefined && /^\/[A-Za-z0-9_./-]*$/.test(parent)) ?? '/tmp';
}
