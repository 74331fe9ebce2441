import type { Secret } from '../../plan/fleet.ts';
import { encode, type Value } from '../values.ts';

/** Everything that a target needs to know of a host's secrets except their contents, as target/activation/secrets.sh names it. */
export function secretFields(secrets: readonly Secret[]): Value[] {
  return secrets.flatMap((secret, index) => {
    const fields = {
      ...{ name: secret.name.replaceAll(/\p{Cc}/gu, ' '), destination: secret.destination },
      ...{ user: secret.user, group: secret.group, mode: secret.permissions },
      when: secret.uploadAt === 'post-activation' ? 'post' : 'pre',
      mkdirs: String(secret.mkDirs),
      // As morph passes them to ssh: a shell on the target reads the words again.
      action: secret.action.join(' '),
    };
    return Object.entries(fields).map(([field, value]): Value => [`${index + 1}.${field}`, encode(value)]);
  });
}
