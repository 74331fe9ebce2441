import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startAction } from '../support/action.ts';
import { bareRunner, serve, theRelease, wholeRelease } from '../support/release.ts';
import type { Runner } from '../support/runner.ts';

const { version, name, sha256 } = theRelease();
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  server = await serve(wholeRelease());
});
afterAll(() => server.stop());

/** Pairs that are measured at least, and at most: the fewer, the more the machine's other work weighs in their median. */
const [fewest, most] = [7, 21];

/** Seconds from before the step's process begins until Nix's daemon answers. */
async function seconds(bare: Runner, user: string): Promise<number> {
  const inputs = { 'nix-version': `${version}@sha256:${sha256}`, 'nix-source': server.source };
  const step = startAction(bare, { uses: 'setup', inputs, user });
  let over = false;
  const ended = step.done.finally(() => {
    over = true;
  });
  while (!over && !/Nix \S+ answers\./.test(step.log())) await sleep(2);
  const took = step.seconds();
  expect((await ended).main.code).toBe(0);
  return took;
}

test.each(['runner', 'root'])(
  'as %s: at most 1.1 times untar and load-db alone, in the median of pairs',
  async user => {
    const measured: { ours: number; byHand: number }[] = [];
    const median = (): number => {
      const ratios = measured.map(({ ours, byHand }) => ours / byHand).sort((a, b) => a - b);
      return ratios[Math.floor(ratios.length / 2)] ?? Number.NaN;
    };
    while (measured.length < fewest || (median() > 1.1 && measured.length < most)) {
      const bare = await bareRunner();
      try {
        const { stdout } = await bare.machine.run(['sh', '-euc', handInstall, 'sh', `/release/${name}`]);
        await bare.machine.run(['sh', '-c', 'rm -rf /nix/* /tmp/unpacked']);
        measured.push({ byHand: Number(stdout.trim().split('\n').at(-1)), ours: await seconds(bare, user) });
      } finally {
        await bare.stop();
      }
    }
    const show = (of: (pair: { ours: number; byHand: number }) => number): string =>
      measured.map(pair => of(pair).toFixed(2)).join(', ');
    console.log(
      `set-up as ${user}: ${show(({ ours }) => ours)} s; untar and load-db by hand: ${show(({ byHand }) => byHand)} s`,
    );
    expect(median()).toBeLessThanOrEqual(1.1);
  },
);

/** The official single steps: untar, copy into the store, load the database; prints the seconds of untar and load-db. */
const handInstall = `
  mkdir -p /tmp/unpacked /nix/store
  a=$(date +%s%N)
  tar --extract --file "$1" --directory /tmp/unpacked
  b=$(date +%s%N)
  top=$(echo /tmp/unpacked/*)
  cp -R --preserve=mode,timestamps "$top"/store/* /nix/store/
  chmod -R a-w /nix/store/*
  nix=$(sed -n 's/^nix="\\(.*\\)"$/\\1/p' "$top/install")
  c=$(date +%s%N)
  "$nix/bin/nix-store" --load-db <"$top/.reginfo"
  d=$(date +%s%N)
  "$nix/bin/nix" --version >/dev/null
  echo "$a $b $c $d" | awk '{ print (($2 - $1) + ($4 - $3)) / 1e9 }'
`;
