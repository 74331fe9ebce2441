import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { embeddedFleet } from '../support/embedded.ts';
import { repository } from '../support/machine.ts';

// The readers of the boot loaders' files, with each /bin/sh that a machine may have. The files are as NixOS's own installers
// write them, shortened; where a file names a toplevel, it is written as {old} or {new}.

const old = '/nix/store/0000000000000000000000000000old0-nixos-system-web-25.11';
const next = '/nix/store/0000000000000000000000000000new0-nixos-system-web-26.05';

const directory = join(repository, 'target/activation');
const script = ['boot-loader.sh', 'once.sh', 'booted.sh', 'look.sh']
  .map(name => readFileSync(join(directory, name), 'utf8'))
  .join('');

type Files = Record<string, string>;

const variables = 'sys/firmware/efi/efivars';
const guid = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
/** A variable as efivarfs shows it: attributes, then UTF-16 with its end. */
const variable = (text: string): string => `\u0007\0\0\0${[...text].map(character => `${character}\0`).join('')}\0\0`;

const entry = (toplevel: string): string =>
  `title NixOS\nsort-key nixos\nversion Generation 7 NixOS\nlinux /EFI/nixos/k.efi\ninitrd /EFI/nixos/i.efi\noptions init=${toplevel}/init loglevel=4 root=LABEL=nixos\nmachine-id 0123\n`;
const entries = {
  'boot/loader/entries/nixos-generation-6.conf': entry('{old}'),
  'boot/loader/entries/nixos-generation-7.conf': entry('{new}'),
};
const loaderConf = (line: string): Files => ({
  'boot/loader/loader.conf': `timeout 5\n${line}\neditor 0\nconsole-mode keep\n`,
});

const grubEntry = (title: string, toplevel: string): string =>
  `menuentry "${title}" --class nixos --unrestricted {
search --set=drive1 --fs-uuid 0123
  linux ($drive1)/nix/store/k-linux/bzImage init=${toplevel}/init loglevel=4
  initrd ($drive1)/nix/store/i-initrd/initrd
}
`;
const grub = (chosen: string, before = '', top = '{old}'): Files => ({
  'boot/grub/grub.cfg': `if [ -s $prefix/grubenv ]; then
  load_env
fi
# ‘grub-reboot’ sets a one-time saved entry, which we process here and then delete.
if [ "\${next_entry}" ]; then
  set default="\${next_entry}"
  set next_entry=
  save_env next_entry
  set timeout=1
  set boot_once=true
else
  ${chosen}
  set timeout=5
fi
if [ "\${grub_platform}" = "efi" ]; then
  set gfxmode=auto
fi
${before}${grubEntry('NixOS - Default', top)}
submenu "NixOS - All configurations" --class submenu {
${grubEntry('NixOS - Configuration 7 (2026-11-01 - 26.05)', '{new}')}${grubEntry('NixOS - Configuration 6 (2026-10-01 - 25.11)', '{old}')}}
`,
});
/** A variable of GRUB's environment block, in its own syntax. */
const saved = ['$', '{saved_entry}'].join('');
const memtest = 'menuentry "Memtest86+" {\n  linux16 /memtest.bin\n}\n';
const environment = (line: string): Files => ({
  'boot/grub/grubenv': `# GRUB Environment Block\n${line}\n${'#'.repeat(900)}`,
});

const extlinux = (chosen: string): Files => ({
  'boot/extlinux/extlinux.conf': `# Generated file, all changes will be lost on nixos-rebuild!

# Change this to e.g. nixos-42 to temporarily boot to an older configuration.
DEFAULT ${chosen}

MENU TITLE ------------------------------------------------------------
TIMEOUT 50

LABEL nixos-default
  MENU LABEL NixOS - Default
  LINUX ../nixos/k-Image
  INITRD ../nixos/i-initrd
  APPEND init={new}/init console=ttyS0 loglevel=4
  FDTDIR ../nixos/dtbs

LABEL nixos-6-default
  MENU LABEL NixOS - Configuration 6-default (2026-10-01 00:00 - 25.11)
  LINUX ../nixos/k-Image
  APPEND init={old}/init console=ttyS0 loglevel=4
`,
});

const initScript = (toplevel: string): Files => ({
  'sbin/init': `#!/bin/sh\n# NixOS - Default\n# created by init-script-builder.sh\nexec ${toplevel}/init\n# older configurations: /boot/init-other-configurations-contents.txt\n`,
});

/** Name → files, and what they start by default; empty: it is unknown. */
const defaults: Record<string, [Files, string]> = {
  'no boot loader': [{}, ''],
  'systemd-boot': [{ ...entries, ...loaderConf('default nixos-generation-7.conf') }, next],
  'systemd-boot, without the suffix': [{ ...entries, ...loaderConf('default nixos-generation-6') }, old],
  'systemd-boot, a pattern': [{ ...entries, ...loaderConf('default nixos-*') }, ''],
  'systemd-boot, no default': [{ ...entries, ...loaderConf('') }, ''],
  'systemd-boot, an entry that is missing': [{ ...entries, ...loaderConf('default nixos-generation-9.conf') }, ''],
  'systemd-boot, with a boot counter': [
    {
      ...loaderConf('default nixos-generation-7.conf'),
      'boot/loader/entries/nixos-generation-7+3-1.conf': entry('{new}'),
    },
    next,
  ],
  'systemd-boot, the ESP at /efi and the entries at /boot': [
    { ...entries, 'efi/loader/loader.conf': 'default nixos-generation-7.conf\n' },
    next,
  ],
  'systemd-boot, a default that bootctl has set': [
    {
      ...entries,
      ...loaderConf('default nixos-generation-7.conf'),
      [`${variables}/LoaderEntryDefault-${guid}`]: variable('nixos-generation-6.conf'),
    },
    old,
  ],
  'systemd-boot, an entry for the next boot only': [
    {
      ...entries,
      ...loaderConf('default nixos-generation-6.conf'),
      [`${variables}/LoaderEntryOneShot-${guid}`]: variable('nixos-generation-7.conf'),
    },
    old,
  ],
  GRUB: [grub('set default=0'), old],
  'GRUB, quoted': [grub('set default="0"'), old],
  'GRUB, after another entry': [grub('set default=1', memtest), old],
  'GRUB, the other entry': [grub('set default=0', memtest), ''],
  'GRUB, the saved entry': [{ ...grub(`set default="${saved}"`), ...environment('saved_entry=0') }, ''],
  'GRUB, an entry for the next boot only': [{ ...grub('set default=0'), ...environment('next_entry=1>0') }, old],
  extlinux: [extlinux('nixos-default'), next],
  'extlinux, another label': [extlinux('nixos-6-default'), old],
  'extlinux, a label that is missing': [extlinux('nixos-9-default'), ''],
  initScript: [initScript('{new}'), next],
  'an init of something else': [{ 'sbin/init': '#!/bin/sh\nexec /lib/systemd/systemd\n' }, ''],
  'two loaders that agree': [{ ...extlinux('nixos-default'), ...initScript('{new}') }, next],
  'two loaders that disagree': [{ ...extlinux('nixos-default'), ...initScript('{old}') }, ''],
};

let tools: Record<string, { shell: string[]; path: string }>;

beforeAll(async () => {
  const busybox = join(await embeddedFleet(), 'nixpkgs/bootstrap/x86_64-linux/busybox');
  const applets = mkdtempSync(join(tmpdir(), 'applets-'));
  await exec(busybox, ['--install', '-s', applets]);
  const path = '/usr/bin:/bin';
  tools = {
    dash: { shell: ['dash'], path },
    bash: { shell: ['bash', '--posix'], path },
    busybox: { shell: [busybox, 'sh'], path: applets },
  };
});

function tree(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'boot-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content.replaceAll('{old}', old).replaceAll('{new}', next));
  }
  return root;
}

/** What a function of the script prints, with the files of `root`. Whatever it prints as an error fails the test. */
async function ask(shell: string, root: string, call: string): Promise<string> {
  const { shell: [program = '', ...options] = [], path } = tools[shell] ?? { path: '' };
  const { stdout, stderr } = await exec(program, [...options, '-c', `set -u\n${script}\nloader_root=$root\n${call}`], {
    env: { PATH: path, root },
  });
  expect(stderr).toBe('');
  return stdout.trim();
}

describe.each(['dash', 'bash', 'busybox'])('with %s', shell => {
  test.each(Object.entries(defaults))('%s', async (_name, [files, expected]) => {
    expect(await ask(shell, tree(files), 'boot_now')).toBe(expected);
  });

  test('the entry of a system, for the next boot', async () => {
    const bootLoader = tree({ ...entries, ...loaderConf('default nixos-generation-6.conf') });
    expect(await ask(shell, bootLoader, `systemd_boot_entry ${next}`)).toBe('nixos-generation-7.conf');
    expect(await ask(shell, bootLoader, 'systemd_boot_entry /nix/store/none')).toBe('');
    const counted = tree({
      ...loaderConf('default nixos-generation-6.conf'),
      'boot/loader/entries/nixos-generation-7+3-1.conf': entry('{new}'),
    });
    expect(await ask(shell, counted, `systemd_boot_entry ${next}`)).toBe('nixos-generation-7.conf');
    const menu = tree(grub('set default=1', memtest));
    expect(await ask(shell, menu, `grub_entry ${next}`)).toBe('2>0');
    expect(await ask(shell, menu, `grub_entry ${old}`)).toBe('2>1');
    expect(await ask(shell, menu, 'grub_entry /nix/store/none')).toBe('');
    expect(await ask(shell, tree(environment('next_entry=2>0')), 'grub_next')).toBe('2>0');
  });

  test('loaders that cannot start an entry once', async () => {
    for (const files of [extlinux('nixos-default'), initScript('{new}')]) {
      expect(await ask(shell, tree(files), 'once_loader')).toBe('');
      expect(await ask(shell, tree(files), 'once_obstacle')).toBe('the boot loader cannot start an entry once');
    }
  });

  test('what needs a reboot', async () => {
    const files = { 'kernel-params': 'loglevel=4\n', 'init-interface-version': 'systemd 2' };
    const root = tree({});
    const system = (name: string, links: Record<string, string>, more: Files = {}): string => {
      for (const [file, content] of Object.entries({ ...files, ...more })) {
        mkdirSync(join(root, name), { recursive: true });
        writeFileSync(join(root, name, file), content);
      }
      for (const [link, to] of Object.entries(links)) symlinkSync(to, join(root, name, link));
      return join(root, name);
    };
    const links = {
      kernel: '/nix/store/a-linux/bzImage',
      initrd: '/nix/store/a-initrd',
      systemd: '/nix/store/a-systemd',
    };
    system('booted', links);
    const needs = (toplevel: string): Promise<string> =>
      ask(shell, root, `toplevel_of() { [ ! -e $root/booted ] || echo $root/booted; }; needs_reboot ${toplevel}`);
    expect(await needs(join(root, 'booted'))).toBe('');
    expect(await needs(system('same', links))).toBe('');
    expect(await needs(system('kernel', { ...links, kernel: '/nix/store/b-linux/bzImage' }))).toBe('kernel');
    const more = { ...links, 'kernel-modules': '/nix/store/b-modules' };
    expect(await needs(system('more', more, { 'kernel-params': 'quiet\n' }))).toBe('kernel-params');
    const all = { kernel: 'b', initrd: 'b', systemd: 'b' };
    expect(await needs(system('all', all, { 'init-interface-version': 'systemd 3' }))).toBe(
      'kernel initrd systemd init-interface-version',
    );
    expect(await ask(shell, tree({}), 'needs_reboot /nix/store/any')).toBe('');
  });
});
