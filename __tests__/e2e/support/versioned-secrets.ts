import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretContent } from '../../../src/deploy/secrets/content.ts';
import { secretFields } from '../../../src/deploy/secrets/fields.ts';
import { encode, type Value, valueLines } from '../../../src/deploy/values.ts';
import type { Secret } from '../../../src/plan/fleet.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
import type { Activations } from './activation-driver.ts';
import { repository } from './machine.ts';
import type { Target } from './target.ts';

// The secrets of tests in which an activation is cut: whatever happens, each is of one version, and all are of the same one.

const places = { early: '/var/lib/keys/early', late: '/var/lib/keys/late', memory: '/run/keys/memory' };

/** What a target has of them; null for one that is not there. */
export type Versions = Record<keyof typeof places, string | null>;

const text = (name: string, version: number): string => `${name} ${version} ${'x'.repeat(5000)}`;

export function versionedSecrets(version: number): Secret[] {
  return Object.entries(places).map(([name, destination]) => ({
    ...{ name, destination, source: { text: new SecretText(text(name, version)) } },
    ...{ user: 'root', group: 'root', permissions: '0400', mkDirs: true, action: [] },
    uploadAt: name === 'late' ? 'post-activation' : 'pre-activation',
  }));
}

export function versions(version: number): Versions {
  return { early: text('early', version), late: text('late', version), memory: text('memory', version) };
}

/** What is left of these after a power cut. */
export function withoutMemory(of: Versions): Versions {
  return { ...of, memory: null };
}

export async function versionsOn(target: Target): Promise<Versions> {
  const of = async (path: string): Promise<string | null> => {
    const { code, stdout } = await target.machine.run(['cat', path], { allow: [0, 1] });
    return code === 0 ? stdout : null;
  };
  const [early, late, memory] = await Promise.all([of(places.early), of(places.late), of(places.memory)]);
  return { early, late, memory } as Versions;
}

/** Files that a replacement of them left next to them. */
export async function leftNextTo(target: Target): Promise<string> {
  const find = 'find /var/lib/keys /run/keys -name ".nix-ferry-*" 2>/dev/null; :';
  return target.says('sh', '-c', find);
}

/** Brings this version to the target for the run `id`, whose spec is then to say `secrets=true`. */
export async function stageVersion(on: Activations, id: string, version: number): Promise<void> {
  const script = readFileSync(join(repository, 'target/stage.sh'), 'utf8');
  const secrets = versionedSecrets(version);
  const contents = Object.keys(places).map(
    (name, index): Value => [`${index + 1}.content`, new SecretContent(Buffer.from(text(name, version))).base64()],
  );
  const values = [['0.who', encode('a test')] as Value, ...secretFields(secrets), ...contents];
  const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
  const words = [...on.shell, '-c', bootstrap, 'nix-ferry', String(Buffer.byteLength(script)), id];
  const { stdout } = await on.target.machine.run(words, { input: script + valueLines(values) });
  if (stdout !== 'staged=yes\n') throw new Error(`not staged: ${stdout}`);
}
