import { readFileSync } from 'node:fs';
import { asset } from '../../assets.ts';
import { CommandError } from '../../errors.ts';
import type { Target } from '../../plan/fleet.ts';
import { explainRefusal, gateCommand, orderValues, plain, throughGate } from '../gate.ts';
import type { SignedOrder } from '../order.ts';
import { escalationOf, quote, type Remote } from '../remote.ts';
import { replyReader } from '../reply.ts';
import { encode, fieldLines, type Value, valueLines } from '../values.ts';
import type { ReadSecret } from './content.ts';
import { secretFields } from './fields.ts';

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
 * @throws GateRefusal
 */
export async function stageSecrets(
  remote: Remote,
  id: string,
  secrets: readonly ReadSecret[],
  sender: Sender,
  { key = null, signal }: { key?: string | null; signal?: AbortSignal } = {},
): Promise<void> {
  const { target, order } = remote;
  const { command, input } = throughGate(target)
    ? gateStage(id, order, secrets, sender, key)
    : scriptStage(target, id, secrets, sender, key);
  const { reply, read } = replyReader();
  try {
    const more = { input, onStdout: read, timeout: stageTime, ...(signal === undefined ? {} : { signal }) };
    await remote.session.ssh(remote.alias, command, more);
  } catch (error) {
    throw explainRefusal(error, target);
  }
  if (reply.values.get('staged') !== 'yes') {
    throw new CommandError(['ssh'], { kind: 'exit', code: 1 }, 'the secrets did not arrive on the target');
  }
}

type Staged = readonly ReadSecret[];
type Call = { command: string; input: string };

function scriptStage(
  target: Target,
  id: string,
  secrets: Staged,
  { who, lockTimeout }: Sender,
  key: string | null,
): Call {
  script ??= readFileSync(asset('target/stage.sh'), 'utf8');
  const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
  const size = String(Buffer.byteLength(script));
  const words = [...escalationOf(target), 'sh', '-c', bootstrap, 'nix-ferry', size, id];
  const sender = { '0.who': who, '0.wait': String(lockTimeout), ...(key === null ? {} : { '0.key': key }) };
  const values = [...encoded(sender), ...secretFields(secrets.map(({ secret }) => secret)), ...contents(secrets, key)];
  return { command: words.map(quote).join(' '), input: script + valueLines(values) };
}

function gateStage(
  id: string,
  order: SignedOrder | null,
  secrets: Staged,
  { who, lockTimeout }: Sender,
  key: string | null,
): Call {
  const fields = fieldLines(secretFields(secrets.map(({ secret }) => secret)));
  const sender = { who: plain(who), 'lock-wait': String(lockTimeout), ...(key === null ? {} : { key }) };
  const values = [...orderValues(order), ...encoded({ ...sender, secrets: fields }), ...contents(secrets, key)];
  return { command: gateCommand('stage', id), input: valueLines(values) };
}

function encoded(texts: Record<string, string>): Value[] {
  return Object.entries(texts).map(([name, text]) => [name, encode(text)]);
}

/** None if they are only compared. */
function contents(secrets: Staged, key: string | null): Value[] {
  if (key !== null) return [];
  return secrets.flatMap(({ content, digest }, index): Value[] => {
    if (content === null) return [];
    const digests: Value[] = digest === null ? [] : [[`${index + 1}.digest`, encode(digest)]];
    return [[`${index + 1}.content`, content.base64()], ...digests];
  });
}
