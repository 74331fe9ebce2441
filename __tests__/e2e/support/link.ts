import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';

/** A machine's network link: a veth pair between the machine and the test. */
export interface Link {
  address: string;
  cut(): Promise<void>;
  restore(): Promise<void>;
}

/** The address at which every machine reaches the test; scripts/testbed-file.sh configures it. */
export const testAddress = '10.255.255.1';

/** Connects the network namespace of `pid` with this one and with the other machines; the machine gets `address`. */
export async function connect(pid: number, address?: string): Promise<Link> {
  const number = takeNumber();
  const outside = `ferry${number}`;
  const own = address ?? `10.0.${number >> 8}.${number & 255}`;
  const ip = (...args: string[]) => exec('ip', args);
  const inside = (...args: string[]) =>
    exec('nsenter', ['-t', String(pid), '-U', '-n', '-S', '0', '-G', '0', 'ip', ...args]);

  await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  await inside('address', 'add', `${own}/32`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'dev', 'eth0', 'src', own);
  const restore = async (): Promise<void> => {
    await ip('link', 'set', outside, 'up');
    await ip('route', 'replace', `${own}/32`, 'dev', outside, 'src', testAddress);
  };
  // Machines reach each other through this namespace.
  writeFileSync(`/proc/sys/net/ipv4/conf/${outside}/proxy_arp`, '1');
  await restore();
  return {
    address: own,
    restore,
    cut: async () => {
      await ip('link', 'set', outside, 'down');
    },
  };
}

/** An address like that of a machine that is off: nothing answers, not even that it cannot be reached. */
export async function silentAddress(): Promise<string> {
  const number = takeNumber();
  const device = `silent${number}`;
  const address = `10.1.${number >> 8}.${number & 255}`;
  const peer = `${device}-peer`;
  await exec('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', peer]);
  for (const end of [device, peer]) await exec('ip', ['link', 'set', end, 'up']);
  await exec('ip', ['route', 'add', `${address}/32`, 'dev', device, 'src', testAddress]);
  // The other end drops what is sent to an Ethernet address that is not its own.
  await exec('ip', ['neighbour', 'add', address, 'lladdr', '02:00:00:00:00:01', 'dev', device]);
  return address;
}

/** A number that no other link of this test file has, although modules may be loaded several times. */
function takeNumber(): number {
  for (let number = 1; ; number++) {
    try {
      mkdirSync(join(tmpdir(), `link-${number}`));
      return number;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
