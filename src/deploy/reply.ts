/** What `target/activate.sh` printed: its `key=value` lines, and the log's lines, which it marks with ": ". */
export interface Answers {
  values: Map<string, string>;
  log: string[];
}

export function readAnswers(): { answers: Answers; take: (line: string) => void } {
  const answers: Answers = { values: new Map(), log: [] };
  const take = (line: string): void => {
    if (line.startsWith(': ')) answers.log.push(line.slice(2));
    else {
      // A target may greet every session with lines of its own; they hold no known key.
      const at = line.indexOf('=');
      if (at > 0) answers.values.set(line.slice(0, at), line.slice(at + 1));
    }
  };
  return { answers, take };
}

/** What a target said of itself. */
export interface Probe {
  machine: string;
  /** Toplevel that runs; null where nothing of NixOS runs. */
  current: string | null;
  /** Toplevel that the system profile names; null without one. */
  profile: string | null;
  /** Nix's version, or `unknown`; null without Nix. */
  nix: string | null;
  /** Bytes free in the store; null when unknown. */
  free: number | null;
  /** Whether Nix takes unsigned paths from the user; null when it could not be told. */
  trusted: boolean | null;
  root: 'yes' | 'escalated' | 'no';
  /** What the privilege escalation said when it failed. */
  refusal: string | null;
}

/** Null when the answer is not that of the probe. */
export function readProbe({ values }: Answers): Probe | null {
  if (values.get('end') !== 'probe') return null;
  const text = (key: string): string | null => values.get(key) || null;
  const free = Number(values.get('free') || Number.NaN);
  const root = values.get('root');
  return {
    machine: values.get('machine') ?? '',
    current: text('current'),
    profile: text('profile'),
    nix: text('nix'),
    free: Number.isFinite(free) ? free * 1024 : null,
    trusted: values.has('trusted') && values.get('trusted') !== '' ? values.get('trusted') === 'yes' : null,
    root: root === 'yes' || root === 'escalated' ? root : 'no',
    refusal: text('refusal'),
  };
}

/** How an activation ended, as the supervisor on the target wrote it down. */
export interface Activation {
  result: 'activated' | 'refused' | 'rolled-back' | 'failed';
  why: string;
  /** `lock`, `check`, `root`, `profile`, or the verb switch-to-configuration was called with. */
  step: string;
  /** Exit code of that step. */
  code: number;
  before: string | null;
  current: string | null;
  profile: string | null;
}

/** Null while there is no result, or when it was lost. */
export function readActivation({ values }: Answers): Activation | null {
  const result = values.get('result');
  if (values.get('end') !== 'result') return null;
  if (result !== 'activated' && result !== 'refused' && result !== 'rolled-back' && result !== 'failed') return null;
  return {
    result,
    why: values.get('why') ?? '',
    step: values.get('step') ?? '',
    code: Number(values.get('code')),
    before: values.get('before') || null,
    current: values.get('current') || null,
    profile: values.get('profile') || null,
  };
}
