/** One call of switch-to-configuration, its output and its exit code. */
export interface SwitchCase {
  what: string;
  /** The system that runs before: its name in `miniature/generations.nix`; `one` by default. */
  from?: string;
  /** The system to switch to. */
  to: string;
  verb: 'dry-activate' | 'test' | 'boot' | 'switch' | 'check';
  env?: Readonly<Record<string, string>>;
  /** A shell command on the target, before. */
  prepare?: string;
  code: number;
  /** All lines, without those of `systemctl status` that have no unit's name. */
  lines: readonly string[];
  /** The system that runs afterwards; by default the one that ran before. */
  runs?: 'to';
}

const users = (...deploy: string[]): string[] => [
  'reloading user units for root...',
  'restarting the following user units: nixos-activation.service',
  'reloading user units for deploy...',
  ...deploy,
  'restarting the following user units: nixos-activation.service',
];
const activating = 'activating the configuration...';
const etc = 'setting up /etc...';
const reactivation = 'restarting sysinit-reactivation.target';
const activated = [activating, etc, ...users(), reactivation];
const bootLoader = 'updating the systemd-boot entries...';
const otherInit = [
  'Warning: the new NixOS configuration has an ‘init’ that is',
  'incompatible with the current configuration.  The new configuration',
  "won't take effect until you reboot the system.",
];
const refused = [
  'this system does not want to run here',
  "Pre-switch check 'never' failed",
  'Pre-switch checks failed',
];
const badUnit = [
  'Error: Failed to parse systemd unit file NEW/etc/systemd/system/tmpl@.service',
  '',
  'Caused by:',
  '    0: Failed parse unit file as INI',
  '    1: 3:1 expecting "[Some(\']\')]" but found EOF.',
];
const failedSnippet = [
  'this snippet is wrong',
  "Activation script snippet 'zbroken' failed (1)",
  'Failed to run activate script',
];
const warning =
  'WARN: restarting or reloading systemd units from the activation script is deprecated and will be removed in NixOS 26.11.';

// What only a user's manager starts, and only when the user logs in.
const startUserUnit =
  'setpriv --reuid=1000 --regid=1000 --clear-groups env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user start upart.service';

const otherFstab = [
  'sed "s,^tmpfs /mnt/data ,other /mnt/data ," /etc/fstab > /tmp/fstab',
  'echo "/dev/x /mnt/auto ext4 x-systemd.automount 0 2" >> /tmp/fstab',
  'echo "/swapfile none swap defaults 0 0" >> /tmp/fstab',
  'rm /etc/fstab',
  'cp /tmp/fstab /etc/fstab',
].join(' && ');

/**
 * What the real program does (switch-to-configuration-ng of nixpkgs, 2026), mostly observed under systemd 257, line by line:
 * the miniature prints the same for the same change. The rows about fstab, leftover lists and older programs are from the
 * sources of these.
 */
export const switchCases: readonly SwitchCase[] = [
  {
    what: 'a change of every kind',
    to: 'two',
    verb: 'test',
    prepare: `systemctl start sock.service; ${startUserUnit}`,
    code: 0,
    runs: 'to',
    lines: [
      'stopping the following units: gone.service, mnt-gone.mount, sock.service, sock.socket, tmpl@a.service, worker.service',
      'NOT restarting the following changed units: session.service',
      activating,
      etc,
      ...users('stopping the following user units: upart.service', 'starting the following user units: upart.service'),
      reactivation,
      'reloading the following units: mnt-data.mount, mnt-fs.mount, proxy.service, reloader.service',
      'restarting the following units: quick.service, tick.timer',
      'starting the following units: sock.socket, tmpl@a.service, worker.service',
      'the following new units were started: extra.service',
    ],
  },
  {
    what: 'a change of every kind, asked for only',
    to: 'two',
    verb: 'dry-activate',
    code: 0,
    lines: [
      'would stop the following units: gone.service, mnt-gone.mount, tmpl@a.service, worker.service',
      'would NOT stop the following changed units: session.service',
      'would activate the configuration...',
      'would reload the following units: mnt-data.mount, mnt-fs.mount, proxy.service, reloader.service',
      'would restart the following units: quick.service, tick.timer',
      'would start the following units: tmpl@a.service, worker.service',
    ],
  },
  { what: 'the boot loader alone', to: 'two', verb: 'boot', code: 0, lines: [bootLoader] },
  { what: 'the same system', to: 'one', verb: 'test', code: 0, lines: activated },
  {
    what: 'the same system and the boot loader',
    to: 'one',
    verb: 'switch',
    code: 0,
    lines: [bootLoader, ...activated],
  },
  {
    what: 'a new unit fails',
    to: 'failingUnit',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [...activated, 'warning: the following units failed: broken.service', '× broken.service'],
  },
  {
    what: 'a changed unit fails',
    to: 'failingChanged',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [
      'stopping the following units: worker.service',
      ...activated,
      'starting the following units: worker.service',
      'warning: the following units failed: worker.service',
      '× worker.service',
    ],
  },
  {
    what: 'a unit that failed and waits for its next start',
    to: 'restarting',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [
      'stopping the following units: worker.service',
      ...activated,
      'starting the following units: worker.service',
      'warning: the following units failed: worker.service',
      '● worker.service',
    ],
  },
  {
    what: 'a reload fails',
    to: 'reloadFails',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [...activated, 'reloading the following units: proxy.service', 'Failed to reload proxy.service'],
  },
  {
    what: 'what a unit requires fails',
    to: 'dependency',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [
      'stopping the following units: worker.service',
      ...activated,
      'starting the following units: worker.service',
      'Failed to start worker.service',
      'warning: the following units failed: needed.service',
      '× needed.service',
    ],
  },
  {
    what: "a user's unit changes",
    to: 'userChanged',
    verb: 'test',
    prepare: startUserUnit,
    code: 0,
    runs: 'to',
    lines: [
      activating,
      etc,
      ...users('stopping the following user units: upart.service', 'starting the following user units: upart.service'),
      reactivation,
    ],
  },
  {
    what: "a user's unit fails",
    to: 'userFails',
    verb: 'test',
    prepare: startUserUnit,
    code: 4,
    runs: 'to',
    lines: [
      activating,
      etc,
      ...users('stopping the following user units: upart.service', 'starting the following user units: upart.service'),
      'Failed to start user unit upart.service',
      'warning: the following user units failed: upart.service',
      'See `systemctl --user status upart.service` for details.',
      'warning: user activation for deploy failed',
      reactivation,
    ],
  },
  {
    what: 'a snippet of the activation script fails',
    to: 'failingActivation',
    verb: 'test',
    code: 2,
    runs: 'to',
    lines: [activating, etc, ...failedSnippet, ...users(), reactivation],
  },
  {
    what: 'a snippet exits, which ends the script: the system that runs stays the old one',
    to: 'aborted',
    verb: 'test',
    code: 2,
    lines: [activating, 'this snippet gives up', 'Failed to run activate script', ...users(), reactivation],
  },
  {
    what: 'a snippet and a unit fail: 4 hides the 2',
    to: 'failingBoth',
    verb: 'test',
    code: 4,
    runs: 'to',
    lines: [
      activating,
      etc,
      ...failedSnippet,
      ...users(),
      reactivation,
      'warning: the following units failed: broken.service',
      '× broken.service',
    ],
  },
  {
    what: 'the boot loader fails',
    to: 'failingBootLoader',
    verb: 'boot',
    code: 1,
    lines: ['no space left on /boot', 'Failed to install bootloader'],
  },
  {
    what: 'the boot loader fails before the activation',
    to: 'failingBootLoader',
    verb: 'switch',
    code: 1,
    lines: ['no space left on /boot', 'Failed to install bootloader'],
  },
  {
    what: "systemd's own settings change",
    to: 'reexec',
    verb: 'test',
    code: 0,
    runs: 'to',
    lines: [activating, etc, 'restarting systemd...', ...users(), reactivation],
  },
  {
    what: 'the activation script asks for a restart and a reload',
    to: 'asking',
    verb: 'test',
    code: 0,
    runs: 'to',
    lines: [
      activating,
      etc,
      warning,
      ...users(),
      reactivation,
      'reloading the following units: proxy.service',
      'restarting the following units: worker.service',
    ],
  },
  ...(['check', 'dry-activate', 'test', 'boot', 'switch'] as const).map(verb => ({
    what: 'a pre-switch check refuses',
    to: 'refused',
    verb,
    code: 1,
    lines: refused,
  })),
  {
    what: 'NIXOS_NO_CHECK=1 skips the checks',
    to: 'refused',
    verb: 'test',
    env: { NIXOS_NO_CHECK: '1' },
    code: 0,
    runs: 'to',
    lines: activated,
  },
  {
    what: 'a switch inhibitor changes',
    from: 'inhibitor',
    to: 'inhibited',
    verb: 'test',
    code: 1,
    lines: [
      'Checking switch inhibitors...',
      'There are changes to critical components of the system:',
      '',
      'dbus-implementation : dbus -> broker',
      '',
      'Switching into this system is not recommended.',
      "You probably want to run 'nixos-rebuild boot' and reboot your system instead.",
      '',
      'If you really want to switch into this configuration directly, then',
      'you can set NIXOS_NO_CHECK=1 to ignore pre-switch checks.',
      '',
      'WARNING: doing so might cause the switch to fail or your system to become unstable.',
      '',
      "Pre-switch check 'switchInhibitors' failed",
      'Pre-switch checks failed',
    ],
  },
  {
    what: 'a switch inhibitor changes',
    from: 'inhibitor',
    to: 'inhibited',
    verb: 'boot',
    code: 0,
    lines: ['Not checking switch inhibitors (action = boot)', bootLoader],
  },
  {
    what: 'on the way back, the check of the old system refuses',
    from: 'armed',
    to: 'guarded',
    verb: 'test',
    code: 1,
    lines: ['the guard does not want this now', "Pre-switch check 'guard' failed", 'Pre-switch checks failed'],
  },
  {
    what: 'file systems of fstab: another device, an automount and a swap device that go',
    to: 'one',
    verb: 'dry-activate',
    prepare: otherFstab,
    code: 0,
    lines: [
      'would stop swap device: /swapfile',
      'would stop the following units: mnt-auto.automount',
      'would activate the configuration...',
      'would restart the following units: mnt-data.mount',
    ],
  },
  { what: 'another init interface', to: 'otherInit', verb: 'dry-activate', code: 100, lines: otherInit },
  { what: 'another init interface', to: 'otherInit', verb: 'test', code: 100, lines: otherInit },
  { what: 'another init interface', to: 'otherInit', verb: 'boot', code: 0, lines: [bootLoader] },
  { what: 'another init interface', to: 'otherInit', verb: 'switch', code: 100, lines: [bootLoader, ...otherInit] },
  { what: 'a unit file cannot be parsed', to: 'badUnit', verb: 'dry-activate', code: 1, lines: badUnit },
  { what: 'a unit file cannot be parsed', to: 'badUnit', verb: 'test', code: 1, lines: badUnit },
  { what: 'a unit file cannot be parsed', to: 'badUnit', verb: 'boot', code: 0, lines: [bootLoader] },
  {
    what: 'a reload-list that was left over names a unit that is gone: after the activation',
    to: 'one',
    verb: 'test',
    prepare: 'echo ghost.service > /run/nixos/reload-list',
    code: 1,
    lines: [
      ...activated,
      'Error: Failed to get unit ghost.service',
      '',
      'Caused by:',
      '    Unit ghost.service not loaded.',
    ],
  },
  {
    what: 'a start-list that was left over is done',
    to: 'one',
    verb: 'test',
    prepare:
      'systemctl stop worker.service && echo worker.service > /run/nixos/start-list && rm -f /run/nixos/reload-list',
    code: 0,
    lines: [
      ...activated,
      'starting the following units: worker.service',
      'the following new units were started: worker.service',
    ],
  },
  {
    what: 'no NixOS',
    to: 'one',
    verb: 'test',
    prepare: 'rm /etc/NIXOS',
    code: 2,
    lines: ['This is not a NixOS installation!'],
  },
  {
    what: 'no NixOS, as the program in Perl says it',
    to: 'perl',
    verb: 'test',
    prepare: 'rm /etc/NIXOS',
    code: 255,
    lines: ['This is not a NixOS installation!'],
  },
  {
    what: 'the boot loader fails, as the program of 2024 says it',
    to: 'olderBootLoader',
    verb: 'boot',
    code: 17,
    lines: ['no space left on /boot', 'Failed to install bootloader'],
  },
];
