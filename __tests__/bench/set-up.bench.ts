// How long the set-up step takes from its start until Nix's daemon answers, against unpacking the same release and loading
// its database by hand. In pairs, each on a new machine; the median pair counts.
import { setTimeout as sleep } from 'node:timers/promises';
import { startAction } from '../e2e/support/action.ts';
import { bareRunner, serve, theRelease, wholeRelease } from '../e2e/support/release.ts';
import type { Runner } from '../e2e/support/runner.ts';
import { compare } from './compare.ts';

const pairs = 7;
const { version, name, sha256 } = theRelease();
const server = await serve(wholeRelease());

/** Seconds from before the step's process starts until the daemon answers. */
async function setUp(bare: Runner, user: string): Promise<number> {
  const inputs = { 'nix-version': `${version}@sha256:${sha256}`, 'nix-source': server.source };
  const step = startAction(bare, { uses: 'setup', inputs, user });
  let over = false;
  const ended = step.done.finally(() => {
    over = true;
  });
  while (!over && !/Nix \S+ answers\./.test(step.log())) await sleep(2);
  const took = step.seconds();
  const { main } = await ended;
  if (main.code !== 0) throw new Error(`the step failed:\n${main.log}`);
  return took;
}

/** The single steps of Nix's own installer; prints the seconds of untar and load-db. */
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

async function byHand(bare: Runner): Promise<number> {
  const { stdout } = await bare.machine.run(['sh', '-euc', handInstall, 'sh', `/release/${name}`]);
  await bare.machine.run(['sh', '-c', 'rm -rf /nix/* /tmp/unpacked']);
  return Number(stdout.trim().split('\n').at(-1));
}

for (const user of ['runner', 'root']) {
  const measured: { ours: number; theirs: number }[] = [];
  while (measured.length < pairs) {
    const bare = await bareRunner();
    try {
      measured.push({ theirs: await byHand(bare), ours: await setUp(bare, user) });
    } finally {
      await bare.stop();
    }
  }
  measured.sort((a, b) => a.ours / a.theirs - b.ours / b.theirs);
  const { ours, theirs } = measured[Math.floor(pairs / 2)] as (typeof measured)[number];
  compare({ what: `set-up as ${user}`, ours, reference: 'untar and load-db by hand', theirs, expected: 1.1 });
}
server.stop();
