import { exec } from '../../../src/exec.ts';

/** A machine's cable: a pair of virtual interfaces, one end here, one end inside. */
export interface Link {
  address: string;
  cut(): Promise<void>;
  restore(): Promise<void>;
}

/** The address of the test itself, as every machine reaches it. */
export const testAddress = '10.255.255.1';

let count = 0;

/** Connects the network namespace of `pid` with this one; the machine is then reached at `address`, and reaches all others. */
export async function connect(pid: number, address?: string): Promise<Link> {
  // Two workers of jest share this namespace: the interface's name and the address carry the worker's number.
  const worker = Number(process.env.JEST_WORKER_ID ?? 1);
  const number = ++count;
  const outside = `ferry-${worker}-${number}`;
  const own = address ?? `10.${worker}.${number >> 8}.${number & 255}`;
  const ip = (...args: string[]) => exec('ip', args);
  const inside = (...args: string[]) =>
    exec('nsenter', ['-t', String(pid), '-U', '-n', '-S', '0', '-G', '0', 'ip', ...args]);

  await ip('address', 'replace', `${testAddress}/32`, 'dev', 'lo');
  await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  await inside('address', 'add', `${own}/32`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'dev', 'eth0', 'src', own);
  const restore = async (): Promise<void> => {
    await ip('link', 'set', outside, 'up');
    await ip('route', 'replace', `${own}/32`, 'dev', outside, 'src', testAddress);
  };
  await exec('sh', [
    '-c',
    'echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv4/conf/$0/proxy_arp',
    outside,
  ]);
  await restore();
  return {
    address: own,
    restore,
    cut: async () => {
      await ip('link', 'set', outside, 'down');
    },
  };
}
