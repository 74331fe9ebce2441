import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type BootedSystem, bootedParts, rebootReasons } from '../../src/deploy/booted.ts';

const booted: BootedSystem = {
  kernel: '/nix/store/a-linux-6.12.1/bzImage',
  initrd: '/nix/store/a-initrd/initrd',
  'kernel-modules': '/nix/store/a-modules',
  systemd: '/nix/store/a-systemd-257',
  'kernel-params': 'loglevel=4',
  'init-interface-version': 'systemd 2',
};

test('the same system needs no reboot', () => {
  expect(rebootReasons(booted, { ...booted })).toEqual([]);
});

test.each(Object.keys(bootedParts))('another %s needs one', part => {
  expect(rebootReasons(booted, { ...booted, [part]: 'another' })).toEqual([part]);
});

test('all reasons, in their order', () => {
  const other = { ...booted, systemd: 'b', kernel: 'b' };
  expect(rebootReasons(booted, other)).toEqual(['kernel', 'systemd']);
});

test('what one of the systems does not have is not compared', () => {
  expect(rebootReasons(booted, { ...booted, 'kernel-modules': null })).toEqual([]);
  expect(rebootReasons({ ...booted, systemd: null }, booted)).toEqual([]);
});

test('the script compares the same files on a target', () => {
  const script = readFileSync(join(import.meta.dirname, '../../target/activation/booted.sh'), 'utf8');
  const names = ['booted_links', 'booted_contents'].flatMap(
    list => new RegExp(`^${list}='(.*)'$`, 'm').exec(script)?.[1]?.split(' ') ?? [],
  );
  expect(names).toEqual(Object.keys(bootedParts));
});
