import { readFileSync } from 'node:fs';
import { asset } from '../../assets.ts';
import { CommandError } from '../../errors.ts';
import { escalationOf, quote, type Remote } from '../remote.ts';
import { replyReader } from '../reply.ts';
import { encode, type Value, valueLines } from '../values.ts';
import type { ReadSecret } from './content.ts';

/** Milliseconds for all secrets of a host to arrive. */
const stageTime = 300_000;

let script: string | undefined;

/** What a target needs to know besides the secrets: who sends them, for how many seconds it may wait for its lock. */
export interface Sender {
  who: string;
  lockTimeout: number;
}

/**
 * Brings the secrets of one run to the target, into memory that only root can read. Everything is sent over standard input.
 *
 * @param key given to compare instead of to replace: the contents are then not sent.
 * @throws CommandError if they do not arrive.
 */
export async function stageSecrets(
  remote: Remote,
  id: string,
  secrets: readonly ReadSecret[],
  sender: Sender,
  { key = null, signal }: { key?: string | null; signal?: AbortSignal } = {},
): Promise<void> {
  script ??= readFileSync(asset('target/stage.sh'), 'utf8');
  const { reply, read } = replyReader();
  const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
  const size = String(Buffer.byteLength(script));
  const words = [...escalationOf(remote.target), 'sh', '-c', bootstrap, 'nix-ferry', size, id];
  await remote.session.ssh(remote.alias, words.map(quote).join(' '), {
    input: script + payload(secrets, sender, key),
    onStdout: read,
    timeout: stageTime,
    ...(signal === undefined ? {} : { signal }),
  });
  if (reply.values.get('staged') !== 'yes') {
    throw new CommandError(['ssh'], { kind: 'exit', code: 1 }, 'the secrets did not arrive on the target');
  }
}

/** The lines that target/stage.sh reads. */
function payload(secrets: readonly ReadSecret[], { who, lockTimeout }: Sender, key: string | null): string {
  const files: Value[] = [
    ['0.who', encode(who)],
    ['0.wait', encode(String(lockTimeout))],
    ...(key === null ? [] : ([['0.key', encode(key)]] as Value[])),
  ];
  for (const [index, { secret, content }] of secrets.entries()) {
    const fields = {
      ...{ name: secret.name.replaceAll(/\p{Cc}/gu, ' '), destination: secret.destination },
      ...{ user: secret.user, group: secret.group, mode: secret.permissions },
      when: secret.uploadAt === 'post-activation' ? 'post' : 'pre',
      mkdirs: String(secret.mkDirs),
      // As morph passes them to ssh: a shell on the target reads the words again.
      action: secret.action.join(' '),
    };
    for (const [field, value] of Object.entries(fields)) files.push([`${index + 1}.${field}`, encode(value)]);
    if (key === null && content !== null) files.push([`${index + 1}.content`, content.base64()]);
  }
  return valueLines(files);
}
