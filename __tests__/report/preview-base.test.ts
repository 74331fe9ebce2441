import { expect, test } from '@jest/globals';
import { outputsOf } from '../../src/outputs.ts';
import type { Preview } from '../../src/preview/index.ts';
import { summary } from '../../src/report/summary.ts';
import { text } from '../../src/report/text.ts';
import { change, preview, units } from './previews.ts';
import { host, run } from './run.ts';

const base = '0123456789abcdef0123456789abcdef01234567';
const noKey = 'There is no `deploy-key` to ask its target with, as in runs for forks.';

/** A host that was compared with the base. */
function based(name: string, instead: string | null = noKey): Preview {
  const own = change(name, { units: units({ restart: ['nginx.service'], statesKnown: false }) });
  return { host: name, known: true, comparedWith: 'base', base, change: own, instead };
}
const added: Preview = { host: 'db', known: false, why: 'new', message: 'The base does not define it.' };
const removed: Preview = { host: 'old', known: false, why: 'removed', message: 'Only the base defines it.' };
const fleet = {
  ...{ format: 'flake' as const, detected: null, source: '/x', commit: null, dirty: false, failures: [] },
  ...{ names: ['web', 'db'], hosts: [host('web'), host('db')] },
};

test('without a target: the same tables, and what is not known', () => {
  const previews = [based('web'), based('web-2'), added, removed];
  expect(summary(run({ mode: 'preview', previews }))).toBe(`## Nix Ferry: 2 hosts would change, 1 new, 1 removed

Compared with the base, ${base}, and not with what the targets run, so it is not known which units run. There is no &#96;deploy-key&#96; to ask its target with, as in runs for forks.

### web, web-2

- **Restarts, if running**: <code>nginx.service</code>
- **Packages**: 1 package updated; closure +2.0 KiB

| Package | Before | After | Size |
|---|---|---|---:|
| nginx | 1.26.0 | 1.27.1 | +2.0 KiB |

**New**: db

**Removed**: old
`);
});

test('secrets, as the sources declare them', () => {
  const secrets = { added: ['token'], removed: ['old'], changed: ['key'], unknown: [] };
  const previews = [{ ...based('web'), change: change('web', { secrets }) } as Preview];
  expect(summary(run({ mode: 'preview', previews }))).toContain(
    '- **Secrets**: adds <code>token</code>; removes <code>old</code>; changes <code>key</code>\n',
  );
  const lines = text(run({ mode: 'preview', fleet, previews }));
  expect(lines).toMatch(/adds secret: token\n *removes secret: old\n *changes secret: key\n/);
  expect(JSON.parse(outputsOf(run({ previews })).changes)).toMatchObject({ web: { secrets } });
});

test('one target is off: the hosts that were compared with the base are named', () => {
  const previews = [preview('web'), based('pi', 'No answer.')];
  const shown = summary(run({ mode: 'preview', previews }));
  expect(shown).toContain('This is what a switch would do. The targets were only asked what they run.\n');
  expect(shown).toContain(
    `Some hosts were compared with the base, ${base}, and not with what the targets run, so it is not known which units run.\n\n- pi: No answer.\n`,
  );
  // What is known differs, so they are no group.
  expect(shown).toMatch(/### web\n[\s\S]*### pi\n/);
});

test('on a terminal and in the outputs', () => {
  const previews = [based('web', null), added, removed];
  const lines = text(run({ mode: 'preview', fleet, previews })).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    expect.stringMatching(/^web .*would change: 1 package, 1 unit, compared with the base 0123456789$/),
    expect.stringMatching(/^db .*new: The base does not define it\.$/),
    expect.stringMatching(/^old .*removed: Only the base defines it\.$/),
  ]);
  expect(JSON.parse(outputsOf(run({ previews })).changes)).toMatchObject({
    web: { changed: true, comparedWith: 'base' },
    db: { changed: true, why: 'new' },
    old: { changed: true, why: 'removed' },
  });
  expect(outputsOf(run({ previews: [removed] })).changed).toBe('true');
});
