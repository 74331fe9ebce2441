import { emptyRecords, type SourceEvaluation } from '../evaluation/source-evaluation.ts';
import { formatNames } from '../formats/index.ts';
import { SecretText } from '../secret-text.ts';

/** Reads what `serialize` returned; null for anything else. */
export function deserialize(text: string): SourceEvaluation | null {
  let kept: SourceEvaluation;
  try {
    kept = JSON.parse(text) as SourceEvaluation;
  } catch {
    return null;
  }
  if (!isSourceEvaluation(kept)) return null;
  const records = emptyRecords();
  for (const [name, record] of Object.entries(records)) Object.assign(record, kept[name as keyof typeof records]);
  return { ...kept, ...records };
}

/** The evaluation as text, without the hosts that have the text of a secret in their configuration. */
export function serialize(evaluation: SourceEvaluation): string {
  const hasNoSecret = (deployment: unknown): boolean => !containsSecret(deployment);
  return JSON.stringify({
    ...evaluation,
    answers: Object.fromEntries(
      Object.entries(evaluation.answers).filter(([, answer]) => hasNoSecret(answer.deployment)),
    ),
    deployments: Object.fromEntries(Object.entries(evaluation.deployments).filter(([, one]) => hasNoSecret(one))),
  });
}

/** Whether a value contains the text of a secret, at any depth. */
function containsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof SecretText || Object.values(value).some(containsSecret);
}

function isSourceEvaluation(kept: unknown): kept is SourceEvaluation {
  if (!isRecord(kept)) return false;
  const { format, detected, main, names, notes, answers, deployments, pins } = kept;
  return (
    (formatNames as readonly unknown[]).includes(format) &&
    isText(detected, null) &&
    isText(main) &&
    areTexts(names) &&
    [notes, answers, deployments, pins].every(isRecord) &&
    Object.entries(answers as object).every(
      ([name, answer]) => names.includes(name) && isEvaluatedHost(name, answer),
    ) &&
    Object.keys(deployments as object).every(name => names.includes(name)) &&
    Object.values(pins as object).every(isPin)
  );
}

function isEvaluatedHost(host: string, answer: unknown): boolean {
  if (!isRecord(answer)) return false;
  const { name, system, drvPath, output, nixpkgs, nix, wrapper } = answer;
  return (
    name === host &&
    [system, drvPath, output].every(value => isText(value)) &&
    storePath.test(`${output}`) &&
    storePath.test(`${drvPath}`) &&
    `${drvPath}`.endsWith('.drv') &&
    isText(nixpkgs, null) &&
    isText(wrapper, null) &&
    (nix === null || (isRecord(nix) && areTexts(nix.substituters) && areTexts(nix.trustedPublicKeys)))
  );
}

const storePath = /^\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/;

function isPin(pin: unknown): boolean {
  return isRecord(pin) && isText(pin.revision, null) && isText(pin.narHash, null) && isText(pin.by);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, or?: null): boolean {
  return typeof value === 'string' || value === or;
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}
