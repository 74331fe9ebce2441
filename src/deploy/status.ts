import { type BootedPart, readBootedParts } from './booted.ts';
import type { Reply } from './reply.ts';
import { numbersIn } from './secrets/report.ts';

/** How an activation ended: the facts that the target read back when everything had ended (`THE STATUS` in main.sh). */
export interface Status {
  /** `stuck`: something failed, and the machine is not wholly on its old system. */
  result: 'finished' | 'refused' | 'went-back' | 'stuck';
  /** The phase that failed; `report` if none did. */
  phase: string;
  /** In words; empty if finished. */
  why: string;
  /** What the last switch-to-configuration on the way there was called with; empty if none ran. */
  verb: string;
  /** Its exit code; `timeout` if it had to be killed; null if none ran. */
  code: number | 'timeout' | null;
  /** Exit code of switch-to-configuration on the way back; null if it did not run. */
  backCode: number | 'timeout' | null;
  /** Whether the toplevel was activated: not with mode `boot` or exit code 100. */
  activated: boolean;
  confirmed: 'yes' | 'no' | 'off';
  before: Facts;
  now: Facts;
  rebooted: boolean;
  /** What differs between the toplevel and the system that the machine was booted with. */
  needsReboot: BootedPart[];
  /** Units that failed and had not failed before. */
  failedUnits: string[];
  /** Units that ran before, are still installed and do not run. */
  missingUnits: string[];
  /** The numbers of the secrets that were written, and of those that a reboot removes. */
  secrets: { changed: number[]; volatile: number[] };
  /** What became of the record of an earlier activation that was cut; null if there was none. */
  settled: { how: string; toplevel: string; phase: string } | null;
}

/** Toplevels; null: unknown or none. */
export interface Facts {
  /** What runs. */
  current: string | null;
  /** Where the system profile points. */
  profile: string | null;
  /** What the boot loader starts by default. */
  boot: string | null;
}

const results = ['finished', 'refused', 'went-back', 'stuck'] as const;

/** Null if the reply holds no complete status. */
export function readStatus({ values }: Reply): Status | null {
  const result = results.find(each => each === values.get('result'));
  if (values.get('end') !== 'status' || result === undefined) return null;
  const text = (key: string): string => values.get(key) ?? '';
  const code = (key: string): Status['code'] =>
    text(key) === '' ? null : text(key) === 'timeout' ? 'timeout' : Number(text(key));
  const units = (key: string): string[] => text(key).split(' ').filter(Boolean);
  return {
    result,
    phase: text('phase'),
    why: text('why'),
    verb: text('verb'),
    code: code('code'),
    backCode: code('back-code'),
    activated: text('activated') === 'yes',
    confirmed: text('confirmed') === 'yes' ? 'yes' : text('confirmed') === 'no' ? 'no' : 'off',
    before: {
      current: text('before') || null,
      profile: text('profile-before') || null,
      boot: text('boot-before') || null,
    },
    now: { current: text('current') || null, profile: text('profile') || null, boot: text('boot') || null },
    rebooted: text('rebooted') === 'yes',
    needsReboot: readBootedParts(text('needs-reboot')),
    failedUnits: units('failed-units'),
    missingUnits: units('missing-units'),
    secrets: { changed: numbersIn(text('secrets-changed')), volatile: numbersIn(text('secrets-volatile')) },
    settled:
      text('settled') === ''
        ? null
        : { how: text('settled'), toplevel: text('settled-toplevel'), phase: text('settled-phase') },
  };
}
