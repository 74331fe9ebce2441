import { expect, test } from '@jest/globals';
import { parseRegistration, registrationLine, takes } from '../../src/setup/binfmt.ts';
import { probeProgram, provableSystems } from '../../src/setup/probe-program.ts';

// Debian's entry, as the kernel shows it.
const debian = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;

test("Debian's entry matches programs of aarch64 only", () => {
  const entry = parseRegistration('qemu-aarch64', debian);
  const interpreter = '/usr/libexec/qemu-binfmt/aarch64-binfmt-P';
  expect(entry).toMatchObject({ enabled: true, flags: 'POF', interpreter });
  const taken = provableSystems.filter(system => {
    const program = probeProgram(system);
    return entry !== null && program !== null && takes(entry, program);
  });
  expect(taken).toEqual(['aarch64-linux']);
});

test('an entry that is disabled, or that matches a file extension, does not count', () => {
  const off = parseRegistration('x', debian.replace('enabled', 'disabled'));
  const program = probeProgram('aarch64-linux') ?? Buffer.alloc(0);
  expect(off).not.toBeNull();
  expect(off !== null && takes(off, program)).toBe(false);
  expect(parseRegistration('jar', 'enabled\ninterpreter /x\nflags: \nextension .jar\n')).toBeNull();
});

test("our line for aarch64 is Debian's magic and mask, with F, and fits the kernel's limit", () => {
  const line = registrationLine('ours', 'aarch64-linux', '/usr/bin/qemu-aarch64-static');
  const [, name, kind, offset, magic, mask, interpreter, flags] = line.split(':');
  const hex = (text = ''): string => text.replaceAll('\\x', '');
  expect([name, kind, offset, interpreter, flags]).toEqual(['ours', 'M', '', '/usr/bin/qemu-aarch64-static', 'PF']);
  expect(debian).toContain(`magic ${hex(magic)}`);
  expect(debian).toContain(`mask ${hex(mask)}`);
  expect(line.length).toBeLessThan(1920);
});
