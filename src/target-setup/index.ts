import type { Context } from '../context.ts';
import { connectionFailure } from '../deploy/failure.ts';
import { explainRefusal, GateRefusal, gateUser, throughGate } from '../deploy/gate.ts';
import { aliasTargets, type DeployConfig, openTargets } from '../deploy/index.ts';
import { escalationOf, quote, type Remote } from '../deploy/remote.ts';
import { replyReader } from '../deploy/reply.ts';
import { isConnectionError, localSession } from '../deploy/session.ts';
import { encode, type Value, valueLines } from '../deploy/values.ts';
import { CommandError, UserError } from '../errors.ts';
import { isLocal, type Target, targetName } from '../plan/fleet.ts';
import { parseTargetSettings, targetOf } from '../plan/index.ts';
import { type Gate, gateFiles, moduleText, setupScript } from './files.ts';
import type { TargetSetupInputs } from './inputs.ts';
import { sameKey } from './keys.ts';

/** The inputs, with what `targets` says, and how the machine is reached. */
export type TargetSetupConfig = TargetSetupInputs & {
  targets: Readonly<Record<string, unknown>>;
  access: Pick<DeployConfig, 'deployKey' | 'knownHosts' | 'ownSsh'>;
};

/** What became of the machine; `changed` as it says itself. */
export type TargetSetupResult =
  | { done: 'set-up'; changed: boolean; host: string; target: string; module: string }
  | { done: 'removed'; changed: boolean; host: string }
  /** The machine is as it was, if `message` does not say that this is unknown. */
  | { done: 'failed'; host: string; message: string };

/** Milliseconds for each of the two calls. */
const callTime = 300_000;

/** Why the machine cannot be set up. */
class Refused extends Error {}

/** The connection was lost when the machine may have begun. */
class Lost extends Error {}

type Reach = Pick<Remote, 'alias' | 'target' | 'session'>;

/**
 * Makes the gate of restricted keys on a machine whose configuration does not have the module (target/gate.nix), or takes it
 * away again.
 *
 * @param name a host in `targets`, or an address as `user@address:port`.
 * @throws UserError before anything is changed, for inputs that are wrong.
 */
export async function setUpTarget(
  name: string,
  config: TargetSetupConfig,
  context: Context,
): Promise<TargetSetupResult> {
  const target = targetCalled(name, config.targets);
  if (!config.remove) checkGate(config);
  const [reached] = aliasTargets([{ host: name, target }]);
  if (reached === undefined) throw new Error('no target');
  const session = isLocal(target)
    ? localSession(context)
    : await openTargets([reached], { ...config.access, parallel: 1 }, context);
  const reach = { alias: reached.alias, target: reached.target, session };
  try {
    return config.remove ? await remove(name, reach, context) : await install(name, config, reach, context);
  } catch (error) {
    return { done: 'failed', host: name, message: whyFailed(error, reach) };
  } finally {
    await session.close();
  }
}

function targetCalled(name: string, targets: Readonly<Record<string, unknown>>): Target {
  const given = Object.hasOwn(targets, name) ? targets[name] : undefined;
  const target = targetOf(parseTargetSettings(given ?? name, given === undefined ? 'HOST' : `targets.${name}`));
  if (target === null) {
    throw new UserError(`targets.${name} has no address.`, { where: { input: 'targets' }, cure: 'Write one.' });
  }
  if (!throughGate(target)) return target;
  throw new UserError(`The user ${gateUser} is the one that target-setup makes, and can only speak to the gate.`, {
    cure: `Write an administrator's user, as in \`root@${target.address}\`.`,
  });
}

/** @throws UserError as the module's assertions would. */
function checkGate({ gateDeployKeys, gatePreviewKeys, gateSigningKeys }: TargetSetupInputs): void {
  if (gateDeployKeys.length + gatePreviewKeys.length === 0) {
    throw new UserError('There is no key for the gate.', {
      where: { input: 'gate-deploy-keys' },
      cure: 'Write --gate-deploy-keys @deploy.pub, --gate-preview-keys @preview.pub, or both.',
    });
  }
  if (gateDeployKeys.length > 0 && gateSigningKeys.length === 0) {
    throw new UserError('--gate-deploy-keys needs --gate-signing-keys: nothing could be deployed.', {
      where: { input: 'gate-signing-keys' },
      cure: '`nix key generate-secret --key-name NAME | tee secret | nix key convert-secret-to-public` makes a key.',
    });
  }
  const both = gatePreviewKeys.find(key => gateDeployKeys.some(other => sameKey(key, other)));
  if (both !== undefined) {
    throw new UserError(`A key is in both --gate-deploy-keys and --gate-preview-keys: ${both.comment || both.type}.`, {
      where: { input: 'gate-preview-keys' },
      cure: 'Remove it from one of them, or make a second key.',
    });
  }
}

async function install(
  name: string,
  config: TargetSetupConfig,
  reach: Reach,
  context: Context,
): Promise<TargetSetupResult> {
  const there = await call(reach, 'look', [], context);
  if (there.get('owner') === 'module') {
    throw new Refused(
      'its configuration has services.nix-ferry.gate already, or something else has made /etc/ssh/authorized_keys.d/nix-ferry: change the keys there',
    );
  }
  const obstacle = there.get('obstacle');
  if (obstacle !== '') throw new Refused(obstacle ?? 'its answer is incomplete');
  checkNix(there.get('nix') ?? '');
  const gate: Gate = {
    host: config.gateHost ?? (Object.hasOwn(config.targets, name) ? name : (there.get('hostname') ?? '')),
    deployKeys: config.gateDeployKeys,
    previewKeys: config.gatePreviewKeys,
    signingKeys: config.gateSigningKeys,
    cacheKeys: config.gateCacheKeys,
    allowOlder: config.gateAllowOlder,
  };
  const { files, version } = gateFiles(gate);
  const values = Object.entries(files).map(([file, text]): Value => [file, encode(text)]);
  const done = await change(reach, 'install', [version], context, values);
  return {
    done: 'set-up',
    changed: done.get('changed') === 'yes',
    host: gate.host,
    target: targetName({ ...reach.target, user: gateUser }),
    module: moduleText(gate),
  };
}

/** The oldest Nix that has all that a gate needs. */
const oldestNix = [2, 8] as const;

function checkNix(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
  const [least, then] = oldestNix;
  if (major > least || (major === least && minor >= then)) return;
  throw new Refused(`it has Nix ${version || 'of an unknown version'}, and a gate needs ${least}.${then} or later`);
}

async function remove(name: string, reach: Reach, context: Context): Promise<TargetSetupResult> {
  const there = await call(reach, 'look', [], context);
  if (there.get('obstacle') === 'this needs root') throw new Refused('this needs root');
  const done = await change(reach, 'remove', [], context);
  return { done: 'removed', changed: done.get('changed') === 'yes', host: name };
}

/** A call that changes the machine. @throws Lost, and as `call` */
async function change(...args: Parameters<typeof call>): Promise<Map<string, string>> {
  try {
    return await call(...args);
  } catch (error) {
    const [{ target }, verb, , { signal }] = args;
    if (!isConnectionError(error) && !signal.aborted) throw error;
    throw new Lost(
      `The connection to ${target.address} ended before its answer to \`${verb}\`. If the machine has received everything, it completes the command by itself. Run it again to find out`,
    );
  }
}

/**
 * Calls a verb of target/gate/setup.sh.
 *
 * @returns its answer.
 * @throws Refused if it failed; CommandError if there was no answer.
 */
async function call(
  { alias, target, session }: Reach,
  verb: string,
  args: readonly string[],
  { signal }: Context,
  files: readonly Value[] = [],
): Promise<Map<string, string>> {
  const script = setupScript();
  const bootstrap = 'self=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$self"';
  const words = ['sh', '-c', bootstrap, 'nix-ferry', String(Buffer.byteLength(script)), verb, ...args];
  const command = [...escalationOf(target), ...words].map(quote).join(' ');
  const { reply, read } = replyReader();
  const options = { input: script + valueLines(files), onStdout: read, timeout: callTime, signal };
  const { stderr } = await session.ssh(alias, command, options);
  const { values } = reply;
  if (values.get('end') === 'failed') throw new Refused(`${values.get('why')}. The machine is as it was`);
  if (values.has('end')) return values;
  throw new CommandError(['ssh'], { kind: 'exit', code: 1 }, stderr || 'the answer is incomplete');
}

function whyFailed(thrown: unknown, { target, session, alias }: Reach): string {
  const error = explainRefusal(thrown, target);
  const { address } = target;
  if (error instanceof Lost) return `${error.message}.`;
  if (error instanceof Refused) return `${address} cannot be set up: ${error.message}.`;
  if (error instanceof GateRefusal) {
    return `${address} accepts this key only for its gate: target-setup needs an administrator's access.`;
  }
  if (isConnectionError(error)) {
    const access = { publicKey: session.publicKey, keyName: session.keyNames.get(alias) ?? null };
    return connectionFailure(error, target, 'probe', access).message;
  }
  if (!(error instanceof CommandError)) throw error;
  const said = error.stderr.trim().split('\n').slice(-4).join('\n') || error.message;
  return `${address} cannot be set up: ${said}`;
}
