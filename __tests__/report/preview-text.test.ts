import { expect, test } from '@jest/globals';
import { text } from '../../src/report/text.ts';
import { packages, preview, unchanged, units } from './previews.ts';
import { host, run } from './run.ts';

const fleet = {
  ...{ format: 'flake' as const, detected: null, source: '/x', commit: null, dirty: false, names: [], failures: [] },
  hosts: ['web', 'api', 'db', 'pi'].map(name => host(name)),
};
const more = {
  units: units({ restart: ['nginx.service'], stop: ['old.service'] }),
  packages: packages({
    updated: [{ name: 'nginx', from: ['1.26.0'], to: ['1.27.1'], bytes: 2048 }],
    added: [{ name: 'fresh', versions: ['0.1'], bytes: 100 }],
    removed: [{ name: 'stale', versions: ['7.0'], bytes: 10 }],
    bytes: { before: 0, after: 2138 },
  }),
  reboot: [{ part: 'kernel' as const, text: 'kernel 6.12 → 6.13', pending: false }],
  users: { added: ['eve'], removed: [] },
};
const previews = [
  preview('web', more),
  preview('api', more),
  unchanged('db'),
  { host: 'pi', known: false as const, why: 'no-target' as const, message: 'It has no target.' },
];

test('a line for each host, and hosts with the same change once', () => {
  expect(text(run({ mode: 'preview', fleet, previews }))).toBe(
    `web   x86_64-linux    would change: 3 packages, 2 units; needs a reboot
api   x86_64-linux    would change: 3 packages, 2 units; needs a reboot
db    x86_64-linux    unchanged: its target runs this system
pi    x86_64-linux    unknown: It has no target.
2 hosts (web, api):
  needs a reboot: kernel 6.12 → 6.13
  ~ nginx 1.26.0 → 1.27.1 (+2.0 KiB)
  + fresh 0.1 (100 B)
  - stale 7.0 (10 B)
  closure +2.1 KiB
  stops: old.service
  restarts: nginx.service
  adds user: eve
`,
  );
});

test('in colour: green comes, red goes, yellow changes; what a closure contains brings no colour of its own', () => {
  const red = packages({ added: [{ name: '\u001b[31mevil', versions: ['1'], bytes: 0 }] });
  const coloured = text(run({ previews: [preview('web', { ...more, packages: red })] }), true);
  expect(coloured).toContain('  \u001b[32m+ evil 1 (0 B)\u001b[0m\n');
  expect(coloured).toContain('  \u001b[33mrestarts: nginx.service\u001b[0m\n');
  const plain = text(run({ previews: [preview('web', { ...more, packages: red })] }));
  expect(plain).not.toContain('\u001b');
});

test('secrets of a target: those that would change or were lost, and those that are not compared', () => {
  const secrets = { added: ['lost'], removed: [], changed: ['token'], unknown: ['key'] };
  const none = { added: [], removed: [], changed: [], unknown: ['key'] };
  const shown = text(run({ fleet, previews: [unchanged('web', { secrets }), unchanged('db', { secrets: none })] }));
  expect(shown).toMatch(/^web .*would change: 0 packages, 0 units, 2 secrets$/m);
  expect(shown).toContain('  adds secret: lost\n  changes secret: token\n  does not compare secret: key\n');
  expect(shown).toMatch(/^db .*unchanged: its target runs this system; some secrets are not compared$/m);
});
