import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import type { Run } from '../../../src/report/index.ts';
import { expectNothingLeft, expectWhole } from '../support/activation-disasters.ts';
import type { Activations } from '../support/activation-driver.ts';
import { expectNext, inGroups, KillFleet, type Row } from '../support/kill-fleet.ts';
import { done, phasesOf } from '../support/kill-table.ts';
import { repository } from '../support/machine.ts';
import { until } from '../support/target.ts';
import { versions, versionsOn } from '../support/versioned-secrets.ts';

// What may happen to the runner and its connections at the start of a phase: of the kill table, the rows `connection
// dropped` and `runner killed`.

let fleet: KillFleet;
let source: string;

beforeAll(async () => {
  fleet = await KillFleet.start();
  source = await sourceOfSystems();
}, 180_000);
afterEach(() => fleet.openGates());
afterAll(() => fleet?.stop());

/** A repository whose hosts are the machines; `hosts.json` says which system each of them gets. */
async function sourceOfSystems(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'source-'));
  const copy = 'cp -R "$0" "$2/fleet" && cp "$1" "$2/systems.nix" && chmod -R u+w "$2"';
  const systems = join(import.meta.dirname, '../support/fixtures/activation-systems.nix');
  await exec('sh', ['-c', copy, join(repository, 'examples/embedded'), systems, directory]);
  const fetch = [join(directory, 'fleet/fetch-bootstrap.sh'), join(directory, 'fleet/nixpkgs/bootstrap')];
  await exec('sh', [...fetch, 'x86_64-linux']);
  const expression = `
    let systems = import ./systems.nix { nixpkgs = ./fleet/nixpkgs; };
    in builtins.mapAttrs (_: name: systems.\${name}) (builtins.fromJSON (builtins.readFile ./hosts.json))`;
  writeFileSync(join(directory, 'nixos.nix'), expression);
  writeFileSync(join(directory, 'key'), fleet.key.private, { mode: 0o600 });
  writeFileSync(join(directory, 'known_hosts'), `${fleet.knownHosts}\n`);
  return directory;
}

/** The command line, as a process of its own, which deploys to the machines of the rows. */
function ferry(rows: readonly Pick<Row, 'on' | 'next'>[]): { child: ChildProcess; ended: Promise<Run> } {
  const name = ({ target }: Activations): string => target.machine.name;
  writeFileSync(join(source, 'hosts.json'), JSON.stringify(Object.fromEntries(rows.map(r => [name(r.on), r.next]))));
  const targets = Object.fromEntries(rows.map(({ on }) => [name(on), `root@${on.target.address}`]));
  const options = {
    ...{ source, system: 'x86_64-linux', mode: 'switch', archive: 'none', targets: JSON.stringify(targets) },
    ...{ 'deploy-key': join(source, 'key'), 'known-hosts': `@${join(source, 'known_hosts')}`, 'confirm-timeout': '5' },
  };
  const flags = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = spawn(process.execPath, [join(repository, 'dist/cli.js'), 'run', '--json', ...flags], {
    env: {
      ...process.env,
      NIX_CONFIG: 'build-users-group =\nsubstituters =\n',
      PATH: `${fleet.nix.installation.bin}:${process.env.PATH}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', chunk => stdout.push(chunk));
  child.stderr?.on('data', chunk => stderr.push(chunk));
  const ended = new Promise<Run>((resolve, reject) =>
    child.once('close', () => {
      const answer = Buffer.concat(stdout).toString();
      if (answer.startsWith('{')) resolve(JSON.parse(answer));
      else reject(new Error(`${answer}${Buffer.concat(stderr)}`));
    }),
  );
  ended.catch(() => undefined);
  return { child, ended };
}

describe('a connection that is dropped', () => {
  test.each(inGroups(phasesOf('connection dropped')).map(phases => [phases.join(', '), phases] as const))(
    'at the start of `%s`: the activation continues, and the runner comes back',
    async (_, phases) => {
      const rows = await fleet.hold(phases);
      const running = fleet.deploy(rows.map(({ on, next }) => [on, next] as const));
      await fleet.held(rows);
      const drop = "pkill -KILL -f '^sshd(-session)?: root'";
      await Promise.all(rows.map(({ on }) => on.target.says('sh', '-c', drop)));
      await Promise.all(rows.map(({ release }) => release()));
      const outcomes = await running;
      for (const [index, { phase, on, next }] of rows.entries()) {
        expect([phase, outcomes[index]?.outcome, outcomes[index]?.after]).toEqual([
          phase,
          'deployed',
          on.toplevel(next),
        ]);
        expectWhole(on, await on.state(), next);
        expect(await versionsOn(on.target)).toEqual(versions(fleet.secretsVersion));
        await expectNothingLeft(on);
      }
      await Promise.all(rows.map(expectNext));
    },
    240_000,
  );
});

/** Holds the activations of a run of the command line at these phases, and kills it. */
async function killed(phases: readonly string[]): Promise<Row[]> {
  const rows = await fleet.hold(phases);
  const { child, ended } = ferry(rows);
  const early = ended.then(run => Promise.reject(new Error(JSON.stringify(run))));
  await Promise.race([fleet.held(rows), early]);
  early.catch(() => undefined);
  child.kill('SIGKILL');
  await Promise.all(rows.map(({ release }) => release()));
  return rows;
}

/** Runs the same again, and checks that each machine ends on its new system, with one generation more than before. */
async function expectSameAgain(rows: readonly Row[], outcomes: (row: Row) => string[]): Promise<void> {
  const { outcomes: ended } = await ferry(rows).ended;
  for (const row of rows) {
    const { phase, on, before, next } = row;
    const found = ended.find(({ host }) => host === on.target.machine.name);
    expect([phase, outcomes(row)]).toEqual([phase, expect.arrayContaining([found?.outcome])]);
    const after = await on.state();
    expectWhole(on, after, next);
    const last = Math.max(...before.generations.map(([number]) => number));
    expect(after.generations).toEqual([...before.generations, [last + 1, on.toplevel(next)]]);
  }
}

describe('a runner that is killed', () => {
  test.each(inGroups(phasesOf('runner killed')).map(phases => [phases.join(', '), phases] as const))(
    'at the start of `%s`: what was not confirmed is taken back, and the same run succeeds then',
    async (_, phases) => {
      const rows = await killed(phases);
      const ids = new Map<Activations, string>();
      for (const { phase, on, old, next, before } of rows) {
        const [id = ''] = on.runs();
        ids.set(on, id);
        const status = await until(
          async () => readFileSync(on.target.machine.path(`/run/nix-ferry/${id}/status`), 'utf8'),
          `the end of the activation on ${on.target.machine.name}`,
        );
        const whole = done.includes(phase) || phase === 'commit' ? next : old;
        expect([phase, status.split('\n')[0]]).toEqual([phase, `result=${whole === next ? 'finished' : 'went-back'}`]);
        const after = await on.state();
        expectWhole(on, after, whole);
        if (whole === old) expect(after.generations).toEqual(before.generations);
        // The status is kept, for a runner that comes back.
        await until(async () => expect(await on.left()).toEqual([`/run/nix-ferry/${id}`]), 'nothing else is left');
      }
      await expectSameAgain(rows, ({ phase }) =>
        done.includes(phase) || phase === 'commit' ? ['unchanged'] : ['deployed'],
      );
      for (const { on } of rows) {
        await on.call('finish', ids.get(on) ?? '');
        await expectNothingLeft(on);
      }
    },
    240_000,
  );

  test('another run starts at once: it waits until the first one has ended by itself, and succeeds', async () => {
    const rows = await killed(['activate', 'verify', 'confirm', 'commit']);
    await expectSameAgain(rows, () => ['deployed', 'unchanged']);
    for (const { on } of rows) {
      for (const id of on.runs()) await on.call('finish', id);
      await expectNothingLeft(on);
    }
  }, 240_000);
});
