import { UserError } from '../errors.ts';

/** The option of an inline secret's text, in colmena and NixOps: `deployment.keys.NAME.text`. */
const textOption = ['deployment', 'keys', null, 'text'] as const;

/**
 * The value of an option without the texts of inline secrets in it. What is printed on a runner is in its log.
 *
 * @param names the path of the option.
 * @throws UserError if the option is such a text, or is inside one.
 */
export function withoutSecretTexts(value: unknown, names: readonly string[], host: string): unknown {
  const leads = textOption.every((name, index) => names[index] === undefined || name === null || name === names[index]);
  if (!leads || value === null) return value;
  if (names.length < textOption.length) return hide(value, textOption.slice(names.length));
  throw new UserError(`${names.join('.')} is the text of a secret, which is not printed.`, {
    where: { host },
    cure: `To see it, evaluate it with your own tool, such as \`colmena eval -E '{ nodes, ... }: nodes.${host}.config.${names.join('.')}'\` or \`nix eval\`.`,
  });
}

/** @param path from the value to the texts; null: each attribute. */
function hide(value: unknown, [name, ...rest]: readonly (string | null)[]): unknown {
  if (name === undefined) return value === null ? null : '***';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    name === null || name === key ? hide(inner, rest) : inner,
  ]);
  return Object.fromEntries(entries);
}
