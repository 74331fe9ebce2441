import type { Outcome } from '../deploy/outcome.ts';
import { volatileSentence } from '../deploy/secrets/report.ts';
import type { LimitedDocument } from './limited.ts';
import { escapeText } from './markdown.ts';
import type { Run } from './run.ts';

/** The secrets of each host by what became of them, as lines of Markdown: their names, never their contents. */
export function secretSection(document: LimitedDocument, { outcomes }: Pick<Run, 'outcomes'>): void {
  const lines = outcomes.flatMap(linesOf);
  if (lines.length > 0) document.addLines(['**Secrets**', '', ...lines], left => `- … and ${left} more lines`);
}

function linesOf({ host, mode, secrets }: Outcome): string[] {
  if (secrets === undefined) return [];
  const { changed, unchanged, unknown, volatile } = secrets;
  const dry = mode === 'dry-activate';
  const parts = [
    [dry ? 'would be sent' : 'sent', changed],
    ['unchanged', unchanged],
    ['not compared', unknown],
  ] as const;
  const words = parts.flatMap(([word, names]) => (names.length > 0 ? [`${word} ${namesOf(names)}`] : []));
  const gone = dry || volatile.length === 0 ? '' : `. ${escapeText(volatileSentence(volatile))}`;
  return [`- ${escapeText(host)}: ${words.join('; ')}${gone}`];
}

function namesOf(names: readonly string[]): string {
  return names.map(name => `<code>${escapeText(name)}</code>`).join(' ');
}
