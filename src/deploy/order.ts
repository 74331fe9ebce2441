import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enterManifest, manifestPath } from '../archive/index.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { narInfoName } from '../nix/pack.ts';
import { publicKeyOf, signClosures } from '../nix/sign.ts';
import type { Deployment } from './deployment.ts';
import { checkLines, throughGate } from './gate.ts';
import type { DeployInputs } from './inputs.ts';
import type { ReadSecret } from './secrets/content.ts';
import { secretFields } from './secrets/fields.ts';
import { contentsDigest } from './secrets/signed-contents.ts';
import { checksOf } from './spec.ts';
import { fieldLines } from './values.ts';

/**
 * Which system belongs on which host, as a file that is a store object with a signature: the manifest of an archive, or a file
 * with the same fields. target/gate/root.sh describes it.
 */
export interface SignedOrder {
  path: string;
  /** `sha256:` and 52 characters in Nix's base 32, of the NAR. */
  hash: string;
  /** Bytes of the NAR. */
  size: number;
  /** In Nix's form `key-name:base64`. */
  signature: string;
  /** The NAR in base64. */
  nar: string;
}

/** What an order says. */
type OrderedDeployment = Pick<
  Deployment,
  'host' | 'toplevel' | 'origin' | 'preDeployChecks' | 'healthChecks' | 'secrets'
>;

/**
 * Signs the closures that were built, in the local store. What comes from an archive has been signed there.
 *
 * @throws UserError if this machine's Nix does not let its user add signatures, and a gate needs them.
 */
export async function signBuilt(
  deployments: readonly Pick<Deployment, 'target' | 'archive' | 'toplevel'>[],
  { signingKey, mode }: Pick<DeployInputs, 'signingKey' | 'mode'>,
  nix: Nix,
  context: Context,
): Promise<void> {
  const built = deployments.filter(({ archive }) => archive === null);
  // Secrets are sent without a system, which may not even be built.
  if (signingKey === null || mode === 'secrets' || built.length === 0) return;
  context.log.secret(signingKey.trim());
  // Checks the key.
  await publicKeyOf(signingKey, nix);
  try {
    await signClosures([...new Set(built.map(({ toplevel }) => toplevel))], signingKey, nix, context);
  } catch (error) {
    if (!(error instanceof CommandError) || !/not privileged|not trusted|permission/i.test(error.stderr)) throw error;
    if (!built.some(({ target }) => target !== null && throughGate(target))) {
      context.log.debug("The closures are not signed: this machine's Nix does not let its user add signatures.");
      return;
    }
    throw new UserError("The closures cannot be signed: this machine's Nix does not let its user add signatures.", {
      where: { input: 'signing-key' },
      cure: "Add the user to this machine's `trusted-users`, or deploy signed archives with `from`.",
      cause: error,
    });
  }
}

/**
 * The orders for hosts whose gate accepts only signed systems.
 *
 * @param secrets by host. Archives have none.
 * @returns by host.
 * @throws UserError if an archive is not signed, or if there is no signing key.
 */
export async function signedOrders(
  deployments: readonly Deployment[],
  { signingKey }: Pick<DeployInputs, 'signingKey'>,
  secrets: ReadonlyMap<string, readonly ReadSecret[]>,
  nix: Nix,
  context: Context,
): Promise<Map<string, SignedOrder>> {
  const orders = new Map<string, SignedOrder>();
  const unsigned: Deployment[] = [];
  for (const deployment of deployments) {
    const { host, archive } = deployment;
    if (archive === null) unsigned.push(deployment);
    else orders.set(host, await orderOfArchive(host, archive, nix));
  }
  if (unsigned.length === 0) return orders;
  if (signingKey === null) throw missingSigningKey(unsigned.map(({ host }) => host));
  context.log.secret(signingKey.trim());
  for (const deployment of unsigned) {
    const { host } = deployment;
    orders.set(host, await makeOrder(deployment, secrets.get(host) ?? [], signingKey, nix, context));
  }
  return orders;
}

/**
 * Checks, before anything is built, what a gate does not accept.
 *
 * @throws UserError
 */
export function checkGates(
  hosts: readonly (Pick<Deployment, 'host' | 'target'> & Partial<Pick<Deployment, 'archive'>>)[],
  { signingKey }: Pick<DeployInputs, 'signingKey'>,
): void {
  const gated = hosts.filter(({ target }) => target !== null && throughGate(target));
  const unsigned = gated.filter(({ archive = null }) => archive === null).map(({ host }) => host);
  if (signingKey === null && unsigned.length > 0) throw missingSigningKey(unsigned);
}

/** The error for hosts whose gate accepts only signed systems. */
function missingSigningKey(hosts: readonly string[]): UserError {
  return new UserError(
    `The gate of ${hosts.join(', ')} accepts only signed systems, and there is no \`signing-key\`.`,
    {
      where: { input: 'signing-key' },
      cure:
        'Make a key with `nix key generate-secret --key-name my-fleet-1 > secret` and keep it as a secret of the GitHub environment that deploys. ' +
        'Its public half (`nix key convert-secret-to-public < secret`) belongs in `services.nix-ferry.gate.signingKeys` of the hosts.',
    },
  );
}

/** Writes and signs the order for a host. @param secrets their contents, as far as they are known */
export async function makeOrder(
  deployment: OrderedDeployment,
  secrets: readonly ReadSecret[],
  signingKey: string,
  nix: Nix,
  context: Context,
): Promise<SignedOrder> {
  const directory = await mkdtemp(join(context.scratch, 'order-'));
  try {
    await writeFile(join(directory, 'manifest.json'), orderText(deployment, contentsDigest(secrets)));
    await enterManifest(directory, signingKey, nix, context);
    const [entry = ''] = (await readdir(directory)).filter(name => name.endsWith('.narinfo'));
    return (await readOrder(directory, entry)) as SignedOrder;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** One field a line, as in a manifest. */
function orderText(deployment: OrderedDeployment, contents: string | null): string {
  const { host, toplevel, origin } = deployment;
  const { commit, repository, branch, committed } = origin;
  const checks = digestOf(checkLines(checksOf(deployment)));
  const secrets = digestOf(fieldLines(secretFields(deployment.secrets)));
  const origins = { commit, repository, branch, committed };
  const fields = Object.entries({ version: 1, host, toplevel, ...origins, checks, secrets, contents });
  return `{\n${fields.map(([key, value]) => ` ${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(',\n')}\n}\n`;
}

function digestOf(text: string): string | null {
  return text === '' ? null : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

async function orderOfArchive(host: string, directory: string, nix: Nix): Promise<SignedOrder> {
  const order = await readOrder(directory, narInfoName(await manifestPath(directory, host, nix)));
  if (order === null) {
    throw new UserError(
      `The archive of ${host} is not signed, and the gate of its target accepts only signed systems.`,
      {
        where: { host },
        cure: 'Build it with `signing-key`.',
      },
    );
  }
  return order;
}

/** Null if it is not signed. */
async function readOrder(directory: string, entry: string): Promise<SignedOrder | null> {
  const text = await readFile(join(directory, entry), 'utf8');
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  if (field('Sig') === '') return null;
  const nar = await readFile(join(directory, field('URL')));
  return {
    path: field('StorePath'),
    hash: field('NarHash'),
    size: Number(field('NarSize')),
    signature: field('Sig'),
    nar: nar.toString('base64'),
  };
}
