import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { UnitChange } from '../../../src/preview/index.ts';
import { PreviewFixture } from '../support/preview-fixture.ts';
import { switchTo } from '../support/systems.ts';
import type { UnitFiles } from '../support/unit-cases.ts';
import { generateMachineFiles, generatePairs, type UnitPair } from '../support/unit-pairs.ts';

// Pairs of systems that are made at random: what the preview says, asked by a user without rights, is what dry-activate then
// prints on the machine. Many pairs are in one pair of systems, since they share no unit.

const seed = 20261128;
const batches = 4;
const pairs = generatePairs(seed, 240);
const size = pairs.length / batches;

let fixture: PreviewFixture;
beforeAll(async () => {
  fixture = await PreviewFixture.start('pairs');
});
afterAll(() => fixture.stop());

/** The lines that dry-activate prints for a change. */
function printed(units: UnitChange): string[] {
  const line = (words: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`would ${words} units: ${names.join(', ')}`];
  return [
    ...units.swapOff.map(device => `would stop swap device: ${device}`),
    ...line('stop the following', units.stop),
    ...line('NOT stop the following changed', units.kept),
    'would activate the configuration...',
    ...(units.restartsSystemd ? ['would restart systemd'] : []),
    ...line('reload the following', units.reload),
    ...line('restart the following', units.restart),
    ...line('start the following', units.start),
  ];
}

/** The lines, with only the units of one pair. */
function linesOf(pair: UnitPair, lines: readonly string[]): string[] {
  const mine = new RegExp(`^(?:mnt-)?p${pair.name.replace('pair ', '')}u`);
  return lines.flatMap(line => {
    const [, words = '', names = ''] = /^(.*units): (.*)$/.exec(line) ?? [];
    const shown = names.split(', ').filter(name => mine.test(name));
    return shown.length === 0 ? [] : [`${words}: ${shown.join(', ')}`];
  });
}

describe.each(Array.from({ length: batches }, (_, index) => index))('batch %i', batch => {
  const some = pairs.slice(batch * size, (batch + 1) * size);
  let said: string[];
  let predicted: string[];

  beforeAll(async () => {
    const files = (side: 'before' | 'after'): Record<string, string | null> => ({
      ...Object.fromEntries(
        some.flatMap(pair =>
          Object.entries(pair[side] as UnitFiles).map(([name, text]) => [`systemd/system/${name}`, text]),
        ),
      ),
      ...generateMachineFiles(seed + batch)[side],
    });
    const { before, after } = await fixture.build('unit-pairs.nix', ['before', 'after'], {
      before: files('before'),
      after: files('after'),
    });
    await fixture.give(before, after);
    const { target } = fixture;
    // Mounts of the batch before were never mounted, so that they cannot be changed.
    await target.says('sh', '-c', 'rm -f /etc/fstab /run/nixos/*-list');
    const first = await switchTo(target, before, 'test');
    if (first.code !== 0 && first.code !== 4) throw new Error(first.lines.join('\n'));
    // Some cannot be started: `RefuseManualStart`, for example.
    const start = some.flatMap(pair => pair.start);
    await target.machine.run(['systemctl', 'start', '--', ...start], { allow: [0, 1, 4, 5] });
    const result = await fixture.preview(after);
    if (!result.known) throw new Error(result.message);
    predicted = printed(result.change.units);
    said = (await switchTo(target, after, 'dry-activate')).lines;
    await target.machine.run(['systemctl', 'stop', '--', ...start], { allow: [0, 1, 4, 5] });
  });

  test.each(some)('$name: the units that would change are those of dry-activate', pair => {
    expect(linesOf(pair, predicted)).toEqual(linesOf(pair, said));
  });

  test('all lines are those of dry-activate', () => {
    expect(predicted).toEqual(said);
  });

  test('most pairs change something, in each way', () => {
    expect(some.filter(pair => linesOf(pair, said).length > 0).length).toBeGreaterThan(size / 2);
    for (const words of ['stop', 'NOT stop', 'reload', 'restart', 'start']) {
      expect(said.some(line => line.startsWith(`would ${words} the following`))).toBe(true);
    }
  });
});
