import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { build } from '../../../src/build/index.ts';
import { type Deployment, deploymentsOfBuilt } from '../../../src/deploy/index.ts';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { readInputs } from '../../../src/inputs.ts';
import type { Format } from '../../../src/plan/fleet.ts';
import { plan } from '../../../src/plan/index.ts';
import { configuration, deployOne } from '../support/deploy-fixture.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from '../support/target.ts';

let fixture: PlanFixture;
let key: Key;
let web: Target;

beforeAll(async () => {
  key = await generateKey('deploy');
  [fixture, web] = await Promise.all([PlanFixture.create('2.26'), startSystemdTarget({ name: 'web', deployKey: key })]);
  await servePage();
  // Without a system before, there would be none to go back to.
  expect(await go(await webOf('configuration', 'base'), 100)).toMatchObject({ outcome: 'deployed' });
});
afterAll(() => Promise.all([fixture?.remove(), web?.stop()]));

const servePage = () => web.says('sh', '-c', 'mkdir -p /var/www && echo welcome >/var/www/index.html');

function go(wanted: Deployment, healthTimeout: number): Promise<Outcome> {
  return deployOne(fixture.nix, configuration('switch', key.private, web.knownHosts, { healthTimeout }), wanted);
}

/** The host `web` of an example as its workflow deploys it, but on our target, and different from that of other examples. */
async function webOf(format: Format, text: string = format): Promise<Deployment> {
  const folder = await fixture.example(format);
  const file = [join(folder, 'hosts/web.nix'), join(folder, 'hosts/web/configuration.nix')].find(existsSync) ?? '';
  const mark = `environment.etc.format.text = "${text}";`;
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace('networking.hostName', `${mark}\n  networking.hostName`),
  );
  await fixture.commit(folder);
  const { web: settings } = await targetsOf(folder);
  const targets = { web: { ...settings, address: `deploy@${web.address}` } };
  const fleet = await plan(fixture.config(folder, { hosts: ['web'], targets }), fixture.nix, fixture.context);
  expect([fleet.format, fleet.failures]).toEqual([format, []]);
  const origin = { commit: null, repository: null, branch: null, committed: null };
  const { built } = await build(fleet, readInputs({}, name => name).build, fixture.nix, fixture.context);
  const [wanted] = deploymentsOfBuilt(built, origin);
  if (wanted === undefined) throw new Error(`${format}: web was not built`);
  // The examples have no files for their secrets.
  return { ...wanted, secrets: [] };
}

/** The input `targets` of an example's workflow. */
async function targetsOf(folder: string): Promise<Record<string, object>> {
  const workflow = parse(await readFile(join(folder, '.github/workflows/deploy.yml'), 'utf8')) as {
    jobs: { deploy: { steps: { with?: { targets?: string } }[] } };
  };
  return parse(workflow.jobs.deploy.steps.at(-1)?.with?.targets ?? '{}') as Record<string, object>;
}

test.each<Format>(['flake', 'expression', 'configuration', 'morph', 'nixops', 'deploy-rs', 'colmena'])(
  "%s: the example's own checks, failing and passing",
  async format => {
    const wanted = await webOf(format);
    const before = await web.currentSystem();
    expect(before).not.toBe(wanted.toplevel);

    await web.says('rm', '/var/www/index.html');
    const failed = await go(wanted, 4);
    expect(failed).toMatchObject({ outcome: 'rolled-back', after: before });
    expect(failed.message).toContain(
      `Rejected: the health check "the page is there" failed for 4 s: http://${web.address}/`,
    );

    if (wanted.preDeployChecks.cmd.length > 0) {
      await web.says('touch', '/run/backup');
      const refused = await go(wanted, 2);
      expect(refused).toMatchObject({ outcome: 'refused', after: before });
      expect(refused.message).toMatch(/^The pre-deploy check "no backup is running" failed \(exit code 1\), for 2 s\./);
      await web.says('rm', '/run/backup');
    }
    expect(wanted.preDeployChecks.cmd).toHaveLength(['flake', 'morph'].includes(format) ? 1 : 0);

    await servePage();
    expect(await go(wanted, 100)).toMatchObject({ outcome: 'deployed', after: wanted.toplevel });
    expect(await web.says('cat', '/etc/format')).toBe(format);
  },
);
