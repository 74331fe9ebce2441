// How long an archive of real programs takes, against what `nix copy` does with the same closure: by default (xz) and with
// zstd. The newest Nix under test copies paths in parallel, the oldest does not.
import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { archiveAlone, closureOf, copyToCache, packagesOf, programs } from '../e2e/support/archive-size.ts';
import { Stores } from '../e2e/support/archive-stores.ts';
import type { NixVersion } from '../e2e/support/runner.ts';
import { compare, fastest, timed } from './compare.ts';

const zstd = '?compression=zstd&parallel-compression=true';

/** `rounds`: how often ours and Nix's zstd take turns; xz, which takes a minute, runs once. */
async function measure(
  stores: Stores,
  version: NixVersion,
  what: string,
  files: readonly string[],
  rounds: number,
): Promise<void> {
  const nix = await stores.newStore();
  const toplevel = await closureOf(nix, files, stores.scratch);
  const ours: number[] = [];
  const sameLevel: number[] = [];
  for (let n = 0; n < rounds; n++) {
    ours.push((await archiveAlone(nix, toplevel, join(stores.scratch, 'ours'))).seconds);
    const copying = timed(() => copyToCache(nix, toplevel, `${zstd}&compression-level=6`, stores.scratch));
    sameLevel.push((await copying).seconds);
  }
  const xz = await timed(() => copyToCache(nix, toplevel, '', stores.scratch));
  const row = { what: `${what}, Nix ${version}`, ours: fastest(ours) };
  compare({ ...row, reference: '`nix copy` (xz)', theirs: xz.seconds, expected: 1 / 20 });
  compare({ ...row, reference: '`nix copy` with zstd, same level', theirs: fastest(sameLevel), expected: 1.05 });
}

for (const version of ['2.34', '2.8'] as const) {
  const stores = await Stores.create(version);
  // Each file is a path, so that nothing waits for a large one.
  const all = await programs();
  // Nix 2.8 compresses with one processor: a quarter of them is enough.
  const some = version === '2.8' ? all.filter((_, index) => index % 4 === 0) : all;
  await measure(stores, version, 'archive of programs', some, 5);
  if (version === '2.34') {
    // A path for each package, as in a Nix store. Without git, whose programs are nearly identical.
    const directory = await mkdtemp(join(stores.scratch, 'packages-'));
    const packages = (await packagesOf(all, directory)).filter(folder => basename(folder) !== 'git');
    await measure(stores, version, 'archive of packages', packages, 3);
  }
  await stores.remove();
}
