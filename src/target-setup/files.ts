import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { activationScript } from '../activation-script.ts';
import { asset } from '../assets.ts';
import { describeScript } from '../preview/describe.ts';
import type { SshKey } from './keys.ts';

/** What a gate allows: the options of `services.nix-ferry.gate`. */
export interface Gate {
  /** The name of the machine in orders. */
  host: string;
  deployKeys: readonly SshKey[];
  previewKeys: readonly SshKey[];
  signingKeys: readonly string[];
  cacheKeys: readonly string[];
  allowOlder: boolean;
}

const place = '/var/lib/nix-ferry-gate/current';
const socket = '/run/ferry-gate.socket';

/** The script that sets a gate up on a target. Its last line calls what both parts define. */
export function setupScript(): string {
  return ['setup-look.sh', 'setup.sh'].map(gateFile).join('');
}

/**
 * The files of a gate on its target, by name, and their version: files of the same version are the same.
 * target/gate/setup.sh says where they are there.
 */
export function gateFiles(gate: Gate): { files: Record<string, string>; version: string } {
  const files: Record<string, string> = {
    gate: gateFile('gate.sh'),
    root: gateFile('root.sh'),
    serve: gateFile('serve.sh'),
    setup: setupScript(),
    activate: activationScript(),
    describe: describeScript(),
    settings: [
      `socket ${socket}`,
      `host ${gate.host}`,
      `signing-keys ${gate.signingKeys.join(' ')}`,
      `cache-keys ${gate.cacheKeys.join(' ')}`,
      `allow-older ${gate.allowOlder}`,
      '',
    ].join('\n'),
    keys: [
      ...gate.deployKeys.map(key => authorize('deploy', key)),
      ...gate.previewKeys.map(key => authorize('preview', key)),
      '',
    ].join('\n'),
    'nix.conf': `extra-trusted-public-keys = ${gate.signingKeys.join(' ')}\n`,
  };
  for (const name of ['ferry-gate.socket', 'ferry-gate@.service', 'ferry-gate-keep.service', 'nix-daemon.conf']) {
    files[name] = gateFile(name);
  }
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 32);
  return { files, version };
}

function gateFile(name: string): string {
  return readFileSync(asset(`target/gate/${name}`), 'utf8');
}

/** A line of authorized_keys, as the module writes it (target/gate.nix). */
function authorize(kind: 'deploy' | 'preview', { type, base64, comment }: SshKey): string {
  return `restrict,command="/bin/sh ${place}/gate ${kind} ${type} ${base64}" ${type} ${base64} ${comment}`.trim();
}

/** What to write into the configuration of the machine, which has the same effect. */
export function moduleText(gate: Gate): string {
  const { host, deployKeys, previewKeys, signingKeys, cacheKeys, allowOlder } = gate;
  const ssh = ({ type, base64, comment }: SshKey): string => `${type} ${base64} ${comment}`.trim();
  const options = [
    'enable = true;',
    `host = ${nixString(host)};`,
    ...nixList('signingKeys', signingKeys),
    ...nixList('cacheKeys', cacheKeys),
    ...nixList('deployKeys', deployKeys.map(ssh)),
    ...nixList('previewKeys', previewKeys.map(ssh)),
    ...(allowOlder ? ['allowOlder = true;'] : []),
  ];
  return [
    'imports = [ (nix-ferry + "/target/module.nix") ];',
    'services.nix-ferry.gate = {',
    ...options.map(line => `  ${line}`),
    '};',
    '',
  ].join('\n');
}

/** An option that is a list; nothing if it is empty. */
function nixList(name: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  return [`${name} = [`, ...values.map(value => `  ${nixString(value)}`), '];'];
}

function nixString(text: string): string {
  return `"${text.replaceAll(/["\\]|\$(?=\{)/g, '\\$&')}"`;
}
