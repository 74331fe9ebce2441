/** The log of an activation in its parts: switch-to-configuration's words on the way there, and those on the way back. */
export interface Words {
  there: string[];
  back: string[];
}

const ours = 'nix-ferry: ';

/** Splits a log; what was said while an earlier activation was settled, and our own lines, are left out. */
export function readWords(log: readonly string[]): Words {
  const words: Words = { there: [], back: [] };
  let part: keyof Words | null = 'there';
  for (const line of log) {
    if (line.startsWith(`${ours}settling `)) part = null;
    else if (line.startsWith(`${ours}settled `)) part = 'there';
    else if (part !== null && line.startsWith(`${ours}going back to `)) part = 'back';
    else if (part !== null && !line.startsWith(ours)) words[part].push(line);
  }
  return words;
}

/** Lines that a person does not need in order to understand a failure. */
const noise = [
  /^\s*$/,
  /^activating the configuration\.\.\.$/,
  /^setting up \/etc\.\.\.$/,
  /^restarting sysinit-reactivation\.target$/,
  /^(stopping|restarting|reloading|starting) the following (user )?units: /,
  /^the following new units were started: /,
  /^NOT restarting the following changed units: /,
  /^reloading user units for /,
  /^updating the .* entries\.\.\.$/,
  /^(Not c|C)hecking switch inhibitors/,
  // What Perl says if the locale of the session is not installed.
  /^perl: warning: /,
  /^(LANGUAGE|LANG|LC_[A-Z]+) = /,
  /^are supported and installed on your system\.$/,
];

/** The last three lines that say something. */
export function lastWords(lines: readonly string[]): string {
  return lines
    .map(line => line.trim())
    .filter(line => !noise.some(pattern => pattern.test(line)))
    .slice(-3)
    .join(' ');
}

/**
 * Why switch-to-configuration failed, in its own words: its exit codes are ambiguous, and what it prints last often is not
 * the reason. A sentence without its full stop; null if no known words are there.
 */
export function reasonOf(lines: readonly string[]): string | null {
  for (const reason of reasons) {
    const found = reason(lines);
    if (found !== null) return found;
  }
  return null;
}

type Reason = (lines: readonly string[]) => string | null;

/** In this order: what fails first, and makes the others fail. */
const reasons: readonly Reason[] = [notNixos, lockHeld, inhibited, checkFailed, snippetFailed, loaderFailed, ownError];

function indexOf(lines: readonly string[], pattern: RegExp): number {
  return lines.findIndex(line => pattern.test(line));
}

function notNixos(lines: readonly string[]): string | null {
  return indexOf(lines, /^This is not a NixOS installation!/) === -1
    ? null
    : 'the target is not a NixOS machine: it has no /etc/NIXOS';
}

function lockHeld(lines: readonly string[]): string | null {
  return indexOf(lines, /^(Error: )?Could not acquire lock/) === -1
    ? null
    : 'another switch-to-configuration is running on the target';
}

/** The table of components: "dbus-implementation : dbus -> broker". */
function inhibited(lines: readonly string[]): string | null {
  const from = indexOf(lines, /^There are changes to critical components/);
  if (from === -1) return null;
  const rest = lines.slice(from + 1);
  const to = indexOf(rest, /^Switching into this system is not recommended/);
  const components = rest.slice(0, to === -1 ? rest.length : to).filter(line => line.trim() !== '');
  return `critical components change, which needs a reboot (mode \`boot\`): ${components.join(', ')}`;
}

function checkFailed(lines: readonly string[]): string | null {
  const at = indexOf(lines, /^Pre-switch check(s| '.*') failed/);
  if (at === -1) return null;
  const name = /'(.*)'/.exec(lines[at] ?? '')?.[1];
  const printed = lastWords(lines.slice(0, at));
  return `the pre-switch check${name === undefined ? '' : ` '${name}'`} failed${printed === '' ? '' : `: ${printed}`}`;
}

function snippetFailed(lines: readonly string[]): string | null {
  const snippets = lines.filter(line => /^Activation script snippet '.*' failed/.test(line));
  if (snippets.length > 0) return `the activation script failed: ${snippets.join(', ')}`;
  const at = indexOf(lines, /^Failed to run activate script/);
  if (at === -1) return null;
  const printed = lastWords(lines.slice(0, at));
  return `the activation script failed${printed === '' ? '' : `: ${printed}`}`;
}

function loaderFailed(lines: readonly string[]): string | null {
  const at = indexOf(lines, /^Failed to install bootloader/);
  if (at === -1) return null;
  const printed = lastWords(lines.slice(0, at));
  return `the boot loader could not be installed${printed === '' ? '' : `: ${printed}`}`;
}

/** Some of its errors say no more than "No such file or directory (os error 2)": the sentence says whose error it is. */
function ownError(lines: readonly string[]): string | null {
  const error = programError(lines);
  return error === null ? null : `switch-to-configuration failed: ${error}`;
}

/**
 * An error of the program itself, without a full stop: "Error: Failed to parse systemd unit file …", then its causes,
 * indented; or that logind, which has lost D-Bus, does not name the users.
 */
export function programError(lines: readonly string[]): string | null {
  const at = indexOf(lines, /^(Error|Unable to list users with logind): /);
  if (at === -1) return null;
  const causes = lines.slice(at + 1).filter(line => /^\s+\S/.test(line));
  const text = (lines[at] ?? '').replace(/^Error: /, '');
  return [text, ...causes.map(cause => cause.trim().replace(/^\d+: /, ''))].join(': ').replace(/\.$/, '');
}

/** Users whose units could not be switched: "warning: user activation for root failed". */
export function failedUsers(lines: readonly string[]): string[] {
  return [
    ...new Set(lines.flatMap(line => /^warning: user activation for (.*) failed/.exec(line.trim())?.slice(1, 2) ?? [])),
  ];
}
