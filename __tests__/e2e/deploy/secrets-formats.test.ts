import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deploy, deploymentsOfPlan } from '../../../src/deploy/index.ts';
import type { Format } from '../../../src/plan/fleet.ts';
import { plan } from '../../../src/plan/index.ts';
import { configuration } from '../support/deploy-fixture.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from '../support/target.ts';

let fixture: PlanFixture;
let key: Key;
let web: Target;
beforeAll(async () => {
  key = await generateKey('deploy');
  [fixture, web] = await Promise.all([PlanFixture.create('2.26'), startSystemdTarget({ name: 'web', deployKey: key })]);
});
afterAll(async () => {
  await web?.stop();
  await fixture?.remove();
});

/** What each format can say besides the example's file, in a line of the host's `deployment`, and the content of it. */
const more: Record<string, { file: string; line: string; content: string }> = {
  flake: {
    file: 'flake.nix',
    line: 'secrets.more = { source.env = "DB"; destination = "/run/keys/more"; action = [ "true" ]; uploadAt = "post-activation"; };\n        secrets.tls-key = {',
    content: 'from the variable',
  },
  morph: {
    file: 'network.nix',
    line: 'secrets.more = { source = "secrets/more"; destination = "/run/keys/more"; owner.user = "daemon"; };\n      secrets.tls-key = {',
    content: 'another file',
  },
  nixops: {
    file: 'network.nix',
    line: 'keys.more.text = "in the network";\n      keys.tls-key = {',
    content: 'in the network',
  },
  colmena: {
    file: 'hive.nix',
    line: 'keys.more.keyCommand = [ "cat" "secrets/more" ];\n      keys.tls-key = {',
    content: 'another file',
  },
};

test.each<Format>(['flake', 'morph', 'nixops', 'colmena'])('%s: the example sends its own', async format => {
  const folder = await fixture.example(format);
  const { file, line, content } = more[format] ?? { file: '', line: '', content: '' };
  const text = readFileSync(join(folder, file), 'utf8');
  const changed = text.replace(/(secrets|keys)\.tls-key = \{/, () => line);
  expect(changed).not.toBe(text);
  writeFileSync(join(folder, file), changed);
  await fixture.commit(folder);
  // Not in Git, as secrets are not.
  mkdirSync(join(folder, 'secrets'));
  writeFileSync(join(folder, 'secrets/tls-key'), `the key of ${format}\n`);
  writeFileSync(join(folder, 'secrets/more'), 'another file');

  const targets = { web: `root@${web.address}`, db: `root@${web.address}`, pi: `root@${web.address}` };
  const fleet = await plan(fixture.config(folder, { targets, hosts: ['web'] }), fixture.nix, fixture.context);
  expect(fleet.failures).toEqual([]);
  const origin = { commit: null, repository: null, branch: null, committed: null };
  const config = configuration('secrets', key.private, web.knownHosts, {
    secretVariables: { DB: 'from the variable' },
  });
  const outcomes = await deploy(deploymentsOfPlan(fleet.hosts, origin), config, fixture.nix, fixture.context);
  expect(outcomes).toMatchObject([{ host: 'web', outcome: 'deployed', secrets: { volatile: ['more'] } }]);
  const facts = (path: string) => web.says('sh', '-c', 'cat "$0" && stat -c " %U:%G %a" "$0"', path);
  const mode = format === 'nixops' || format === 'colmena' ? '600' : '400';
  expect(await facts('/var/lib/secrets/tls-key')).toBe(`the key of ${format}\n root:root ${mode}`);
  expect(await facts('/run/keys/more')).toBe(`${content} ${format === 'morph' ? 'daemon' : 'root'}:root ${mode}`);
});

test('a text in a flake is refused: the flake is in the store', async () => {
  const folder = await fixture.example('flake');
  const file = join(folder, 'flake.nix');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('source = "secrets/tls-key"', 'source.text = "hush"'));
  await fixture.commit(folder);
  const fleet = plan(fixture.config(folder, { hosts: ['web'] }), fixture.nix, fixture.context);
  expect((await fleet).failures).toMatchObject([
    { host: 'web', message: expect.stringContaining('secret of a flake has no text') },
  ]);
});
