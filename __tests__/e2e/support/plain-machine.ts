import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Activations } from './activation-driver.ts';
import { buildSystems, localNix } from './deploy-fixture.ts';
import { Machine } from './machine.ts';
import { generateKey, Target } from './target.ts';

/** A machine without systemd, sshd and sudo that has the systems of activation-systems.nix in its store. */
export async function startPlainMachine(name: string): Promise<Activations> {
  const [nix, key] = await Promise.all([localNix(), generateKey('host')]);
  const systems = await buildSystems(nix, 'x86_64-linux', 'activation-systems.nix');
  const cache = mkdtempSync(join(tmpdir(), 'cache-'));
  await nix.run('nix', ['copy', '--to', `file://${cache}?compression=none`, ...Object.values(systems)]);
  const machine = await Machine.start({
    name,
    root: 'systemd',
    init: ['sh', '-c', 'while :; do wait; sleep 1; done'],
    readOnly: { [cache]: '/cache' },
    files: {
      '/etc/NIXOS': { content: '' },
      '/etc/nix/nix.conf': { content: 'experimental-features = nix-command\nbuild-users-group =\nsubstituters =\n' },
    },
  });
  await machine.run(['nix', 'copy', '--no-check-sigs', '--from', 'file:///cache', ...Object.values(systems)]);
  return new Activations(new Target(machine, 'x86_64-linux', key), systems);
}
