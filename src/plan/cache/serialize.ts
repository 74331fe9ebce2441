import type { Format, Pin } from '../fleet.ts';
import { formats } from '../fleet.ts';
import type { Answer } from '../host.ts';

/** What was learnt of a source; a plan is made from it. */
export interface Knowledge {
  format: Format;
  detected: string | null;
  main: string;
  names: string[];
  notes: Record<string, unknown>;
  /** Host → what its evaluation answered. */
  answers: Record<string, Answer>;
  /** Host → what is known of its target, also where it was not evaluated as a whole. */
  deployments: Record<string, unknown>;
  /** Path of a nixpkgs → how it is fixed. */
  pins: Record<string, Pin>;
}

/** Records without a prototype: a host may be named `constructor`. */
export function nothingKnown(): Pick<Knowledge, 'answers' | 'deployments' | 'pins'> {
  return { answers: Object.create(null), deployments: Object.create(null), pins: Object.create(null) };
}

/** Reads what `textOf` wrote; null for anything else. */
export function readKnowledge(text: string): Knowledge | null {
  let kept: Knowledge;
  try {
    kept = JSON.parse(text) as Knowledge;
  } catch {
    return null;
  }
  if (!isKnowledge(kept)) return null;
  const records = nothingKnown();
  for (const [name, record] of Object.entries(records)) Object.assign(record, kept[name as keyof typeof records]);
  return { ...kept, ...records };
}

/** What is kept of it: a host whose secrets stand in the configuration as text is left out. */
export function textOf(knowledge: Knowledge): string {
  const open = (deployment: unknown): boolean => !JSON.stringify(deployment ?? null).includes('"source":{"text":');
  return JSON.stringify({
    ...knowledge,
    answers: Object.fromEntries(Object.entries(knowledge.answers).filter(([, answer]) => open(answer.deployment))),
    deployments: Object.fromEntries(Object.entries(knowledge.deployments).filter(([, said]) => open(said))),
  });
}

function isKnowledge(kept: unknown): kept is Knowledge {
  if (!isRecord(kept)) return false;
  const { format, detected, main, names, notes, answers, deployments, pins } = kept;
  return (
    (formats as readonly unknown[]).includes(format) &&
    isText(detected, null) &&
    isText(main) &&
    areTexts(names) &&
    [notes, answers, deployments, pins].every(isRecord) &&
    Object.entries(answers as object).every(([name, answer]) => names.includes(name) && isAnswer(name, answer)) &&
    Object.keys(deployments as object).every(name => names.includes(name)) &&
    Object.values(pins as object).every(isPin)
  );
}

function isAnswer(host: string, answer: unknown): boolean {
  if (!isRecord(answer)) return false;
  const { name, system, drvPath, output, nixpkgs, nix, wrapper } = answer;
  return (
    name === host &&
    [system, drvPath, output].every(value => isText(value)) &&
    isStorePath.test(`${output}`) &&
    isStorePath.test(`${drvPath}`) &&
    `${drvPath}`.endsWith('.drv') &&
    isText(nixpkgs, null) &&
    isText(wrapper, null) &&
    (nix === null || (isRecord(nix) && areTexts(nix.substituters) && areTexts(nix.trustedPublicKeys)))
  );
}

const isStorePath = /^\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/;

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
