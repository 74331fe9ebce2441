import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BuildWork, type Built, build } from '../../../src/build/index.ts';
import type { HostEvent } from '../../../src/context.ts';
import { exec } from '../../../src/exec.ts';
import { derivationName } from '../../../src/nix/derivation.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { Fleet, Host } from '../../../src/plan/fleet.ts';
import { repository } from '../support/machine.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import type { NixVersion } from '../support/runner.ts';

type Toplevels = Record<string, { system: string; drvPath: string; output: string }>;

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  let toplevels: Toplevels;
  const events: HostEvent[] = [];
  /** Of the last call of `built`. */
  let work: BuildWork;

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    const file = join(repository, '__tests__/e2e/support/fixtures/build.nix');
    const args = ['--argstr', 'busybox', fixture.miniature.path, '--argstr', 'salt', randomUUID()];
    const { stdout } = await fixture.nix.run('nix-instantiate', [
      ...['--eval', '--strict', '--json', '--read-write-mode', file, ...args],
    ]);
    toplevels = JSON.parse(stdout) as Toplevels;
  });
  afterAll(() => fixture.remove());

  const unlimited = { stallTimeout: 3600, buildTimeout: 0 };

  async function built(
    names: string[],
    source = '/',
    limits = unlimited,
    nix = fixture.nix,
  ): Promise<Record<string, Built>> {
    const hosts = names.map(name => {
      const { system, drvPath, output } = toplevels[name] as Toplevels[string];
      return { name, system, toplevel: { drvPath, outPath: output } } as Host;
    });
    events.length = 0;
    await rm(join(fixture.context.scratch, 'roots'), { recursive: true, force: true });
    const context = { ...fixture.context, progress: (event: HostEvent) => void events.push(event) };
    const { built: all, work: done } = await build({ hosts, source } as Fleet, limits, nix, context);
    work = done;
    return Object.fromEntries(all.map(one => [one.host.name, one]));
  }

  test('a host that fails does not prevent the others from being built', async () => {
    const { good, twin, behind, foreign } = await built(['good', 'behind', 'foreign', 'twin']);
    expect(good).toMatchObject({ ok: true, toplevel: toplevels.good?.output, builtDerivations: 2 });
    expect(twin).toMatchObject({ ok: true, builtDerivations: 2 });
    expect(behind).toMatchObject({
      ok: false,
      failure: {
        message: 'broken failed to build',
        drvPath: expect.stringMatching(/-broken\.drv$/),
        log: expect.stringContaining('the cause'),
      },
    });
    expect(foreign).toMatchObject({
      ok: false,
      failure: { message: expect.stringMatching(/riscv64-linux.*Set .emulate: auto/) },
    });
    const counted = events
      .map(({ text }) => /^building \S+ \((\d+) of (\d+)\)$/.exec(text))
      .filter(each => each !== null);
    expect(counted.length).toBeGreaterThan(0);
    expect(counted.every(([, nth, all]) => Number(nth) <= Number(all))).toBe(true);
    expect(events.filter(({ state }) => state === 'failed').map(({ host }) => host)).toEqual(['behind', 'foreign']);
    const items = work.items.map(({ path, kind, failed }) => [derivationName(path), kind, failed]).toSorted();
    expect(items).toEqual([
      ['broken', 'built', true],
      ['good', 'built', false],
      ['shared', 'built', false],
      ['twin', 'built', false],
    ]);
    expect(work.items.every(({ from, to }) => from > 1.7e12 && to >= from)).toBe(true);
  });

  test.each([
    ['stall-timeout', 'silent', { stallTimeout: 2, buildTimeout: 0 }, /printed nothing for 2 s|longer than 2 s/],
    ['build-timeout', 'endless', { stallTimeout: 60, buildTimeout: 4 }, /longer than 4 s/],
  ])('%s ends a build, and the other host is built', async (input, name, within, why) => {
    const { twin, [name]: slow } = await built([name, 'twin'], '/', within);
    expect(twin).toMatchObject({ ok: true });
    expect(slow).toMatchObject({ ok: false, failure: { message: expect.stringMatching(why) } });
    expect(slow).toMatchObject({ failure: { message: expect.stringContaining(`\`${input}\``) } });
    // Nix 2.34 does not name the build that it ended.
    if (version !== '2.34') expect(slow).toMatchObject({ failure: { drvPath: toplevels[name]?.drvPath } });
  });

  test('a wrong hash is found in the source, in the form in which it is written, with the hash to write', async () => {
    const text = '{\n  outputHash = "0000000000000000000000000000000000000000000000000001";\n}\n';
    const source = await fixture.repository({ 'pkgs/wrong.nix': text });
    const { wrong } = await built(['wrong'], join(source, 'pkgs'));
    expect(wrong).toMatchObject({
      ok: false,
      failure: {
        message:
          'wrong was downloaded with the hash sha256-MAMamDFnTdaEw4FzmazryIoRbOWno/vAzzTZJSGlNOY=, and the source specifies sha256-AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        place: { file: 'pkgs/wrong.nix', line: 2, column: 17 },
      },
    });
    const elsewhere = await fixture.repository({ 'other.nix': '{ }' });
    expect((await built(['wrong'], elsewhere)).wrong).toMatchObject({ ok: false, failure: { place: null } });
  });

  test('closures are complete; both contain a shared path', async () => {
    const { good, twin } = await built(['good', 'twin']);
    if (!good?.ok || !twin?.ok) throw new Error('not built');
    const names = (one: typeof good) => one.closure.map(({ path }) => path.replace(/^.*?-/, '')).sort();
    expect([names(good), names(twin)]).toEqual([
      ['good', 'shared'],
      ['shared', 'twin'],
    ]);
    expect(good.closureBytes).toBe(good.closure.reduce((sum, { narSize }) => sum + narSize, 0));
    expect(good.closureBytes).toBeGreaterThan(0);
  });

  test('what a cache has is fetched', async () => {
    const output = toplevels.good?.output ?? '';
    await built(['good']);
    const cache = `file://${fixture.newPath('cache')}`;
    await fixture.nix.run('nix', ['copy', '--to', cache, output]);
    await rm(join(fixture.context.scratch, 'roots'), { recursive: true, force: true });
    await fixture.nix.run('nix-store', ['--delete', output]);
    const { env, ...installation } = fixture.nix.installation;
    const NIX_CONFIG = `${env.NIX_CONFIG}\nsubstituters = ${cache}\nrequire-sigs = false`;
    const nix = new Nix({ exec, environment: process.env }, { ...installation, env: { NIX_CONFIG } });
    const { good } = await built(['good'], '/', unlimited, nix);
    expect(good).toMatchObject({ ok: true, builtDerivations: 0 });
    expect(work.items).toEqual([
      expect.objectContaining({ kind: 'fetched', path: output, where: cache, failed: false, emulated: false }),
    ]);
  });

  test('paths in the store are not built again, and are not garbage-collected during the run', async () => {
    const { good } = await built(['good']);
    expect(good).toMatchObject({ ok: true, builtDerivations: 0 });
    expect(events.map(({ text }) => text)).toEqual(['in the store', 'was in the store']);
    await fixture.nix.run('nix-store', ['--gc', '--print-dead']).then(({ stdout }) => {
      expect(stdout.split('\n')).not.toContain(toplevels.good?.output);
    });
  });
});
