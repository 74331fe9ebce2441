import { expect, test } from '@jest/globals';
import type { Built } from '../../src/build/built.ts';
import type { Secret } from '../../src/plan/fleet.ts';
import { SecretText } from '../../src/plan/secret-text.ts';
import { type Base, compareWithBase, needsBase, withoutTargets } from '../../src/preview/base.ts';
import { type Preview, type WhyUnknown, wouldChange } from '../../src/preview/preview.ts';
import { preview } from '../report/previews.ts';
import { built, host } from '../report/run.ts';

const at = (name: string, toplevel: string): Built => ({ ...built(name), toplevel }) as Built;
const unknown = (name: string, why: WhyUnknown): Preview => ({ host: name, known: false, why, message: `${why}.` });
const failed = (name: string): Built => ({
  ...{ host: host(name), ok: false },
  failure: { message: 'gcc failed.', drvPath: null, log: '', place: null },
});
const base: Base = {
  commit: '0123456789abcdef0123456789abcdef01234567',
  names: ['web', 'same', 'old', 'broken', 'unbuilt'],
  built: [at('web', '/nix/store/aaaa-nixos'), at('same', '/nix/store/bbbb-nixos'), failed('unbuilt')],
  folders: { before: '/scratch/base', after: '/home/jo/fleet' },
  failures: [{ host: 'broken', message: 'attribute missing.' }],
  removed: ['old'],
};
const all = ['web', 'same', 'added', 'broken', 'unbuilt'].map(name => built(name));

test('changed, unchanged, new, removed, and what the base cannot build', async () => {
  const previews = await compareWithBase(withoutTargets(all), all, base, 'base');
  const known = { comparedWith: 'base', base: base.commit, instead: null };
  expect(previews).toEqual([
    expect.objectContaining({
      ...{ host: 'web', ...known },
      change: expect.objectContaining({ before: '/nix/store/aaaa-nixos', after: '/nix/store/bbbb-nixos' }),
    }),
    expect.objectContaining({
      host: 'same',
      ...known,
      change: expect.objectContaining({ before: '/nix/store/bbbb-nixos' }),
    }),
    { host: 'added', known: false, why: 'new', message: 'The base does not define it.' },
    { host: 'broken', known: false, why: 'no-base', message: 'The base cannot be evaluated: attribute missing.' },
    { host: 'unbuilt', known: false, why: 'no-base', message: 'The system of the base was not built: gcc failed.' },
    { host: 'old', known: false, why: 'removed', message: 'The base defines it, and this commit does not.' },
  ]);
  expect(previews[0]).toMatchObject({ change: { units: { statesKnown: false } } });
});

test('by default, the base takes the place of a target that cannot be asked, and of no other', async () => {
  const asked = [
    preview('web'),
    unknown('same', 'unreachable'),
    unknown('broken', 'refused'),
    unknown('added', 'first'),
  ];
  const previews = await compareWithBase(asked, all, base, 'auto');
  expect(previews.slice(0, 4)).toEqual([
    asked[0],
    expect.objectContaining({ host: 'same', comparedWith: 'base', instead: 'unreachable.' }),
    ...asked.slice(2),
  ]);
  const needed = (['build-only', 'no-target', 'no-key', 'unreachable', 'not-built', 'failed'] as const).map(why =>
    (['auto', 'target', 'base'] as const).filter(compare => needsBase(unknown('web', why), compare)).join(),
  );
  expect(needed).toEqual(['auto,base', 'auto,base', 'auto,base', 'auto,base', '', 'base']);
});

test('what the sources declare as secrets: files in their checkouts, texts that are never shown', async () => {
  const secret = (name: string, source: Secret['source'], more: Partial<Secret> = {}): Secret => ({
    ...{ name, source, destination: `/run/keys/${name}`, user: 'root', group: 'root', permissions: '0400', action: [] },
    ...{ mkDirs: true, uploadAt: 'pre-activation' },
    ...more,
  });
  const withSecrets = (...secrets: Secret[]): Built =>
    ({ ...built('web'), host: { ...host('web'), secrets } }) as Built;
  const before = withSecrets(
    secret('file', { file: '/scratch/base/keys/a' }),
    secret('moved', { file: '/scratch/base/keys/b' }),
    secret('command', { command: ['pass', 'x'], folder: '/scratch/base' }),
    secret('text', { text: new SecretText('hunter1') }),
    secret('same-text', { text: new SecretText('hunter1') }),
    secret('owner', { env: 'x' }),
    secret('gone', { env: 'x' }),
  );
  const after = withSecrets(
    secret('file', { file: '/home/jo/fleet/keys/a' }),
    secret('moved', { file: '/home/jo/fleet/keys/c' }),
    secret('command', { command: ['pass', 'x'], folder: '/home/jo/fleet' }),
    secret('text', { text: new SecretText('hunter2') }),
    secret('same-text', { text: new SecretText('hunter1') }),
    secret('owner', { env: 'x' }, { user: 'app' }),
    secret('fresh', { env: 'x' }),
  );
  const previews = await compareWithBase(
    withoutTargets([after]),
    [after],
    { ...base, built: [before], removed: [] },
    'base',
  );
  expect(previews).toMatchObject([
    { change: { secrets: { added: ['fresh'], removed: ['gone'], changed: ['moved', 'text', 'owner'], unknown: [] } } },
  ]);
  expect(JSON.stringify(previews)).not.toContain('hunter');
  // The system is the same, and the host still changes.
  expect(previews.map(wouldChange)).toEqual([true]);
});
