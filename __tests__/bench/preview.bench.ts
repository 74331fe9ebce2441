// What a preview of sixty hosts takes besides Nix and ssh: describing both systems of each host, comparing them, and writing
// the summary and the comment, against the limit that the project sets itself.
import { join } from 'node:path';
import type { Nix, PathInfo } from '../../src/nix/index.ts';
import { describeBuilt } from '../../src/preview/built-system.ts';
import { changeBetween } from '../../src/preview/change.ts';
import type { Preview } from '../../src/preview/index.ts';
import { commentText } from '../../src/report/comment-text.ts';
import { summary } from '../../src/report/summary.ts';
import { localNix } from '../e2e/support/deploy-fixture.ts';
import { embeddedFleet } from '../e2e/support/embedded.ts';
import { repository } from '../e2e/support/machine.ts';
import { built, run } from '../report/run.ts';
import { compare, fastest, timed } from './compare.ts';

/** Seconds. */
const limit = 5;

type System = { toplevel: string; closure: PathInfo[] };

async function systemsOf(release: number, nix: Nix): Promise<Record<string, System>> {
  const fleet = await embeddedFleet();
  const hosts = join(repository, '__tests__/e2e/support/fixtures/sixty-hosts.nix');
  const expression = `
    let
      nixpkgs = (import ${fleet}/nixpkgs/flake.nix).outputs { self = nixpkgs; };
      toplevel = host: host.config.system.build.toplevel;
    in
    builtins.mapAttrs (_: toplevel) (import ${hosts} nixpkgs.lib.nixosSystem ${release})`;
  const { stdout } = await nix.run('nix-build', ['--no-out-link', '-E', expression]);
  const systems = await Promise.all(
    stdout
      .trim()
      .split('\n')
      .map(async toplevel => {
        const [, host = ''] = /-nixos-system-(.*)-24\.11/.exec(toplevel) ?? [];
        return [host, { toplevel, closure: await nix.closure([toplevel]) }] as const;
      }),
  );
  return Object.fromEntries(systems);
}

async function report(before: Record<string, System>, after: Record<string, System>): Promise<number> {
  const previews: Preview[] = [];
  for (const [host, { toplevel, closure }] of Object.entries(after)) {
    const was = before[host] as System;
    const [old, now] = [await describeBuilt(was.toplevel, was.closure), await describeBuilt(toplevel, closure)];
    const change = changeBetween(old, now);
    previews.push({ host, known: true, comparedWith: 'base', base: '0'.repeat(40), instead: null, change });
  }
  const done = run({ mode: 'preview', previews, built: previews.map(({ host }) => built(host)) });
  return summary(done).length + commentText(done, { commit: '0'.repeat(40), run: null, data: null }).length;
}

const nix = await localNix('2.34');
const before = await systemsOf(1, nix);
const after = await systemsOf(2, nix);
const seconds: number[] = [];
for (let n = 0; n < 3; n++) seconds.push((await timed(() => report(before, after))).seconds);
compare({
  what: 'comparing sixty hosts and writing about them',
  ours: fastest(seconds),
  reference: `limit of ${limit} s`,
  theirs: limit,
  expected: 1,
});
