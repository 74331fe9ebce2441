import type { ClosurePath } from './description.ts';
import { packageName } from './packages.ts';

/**
 * How boot loaders are installed: the name of the program in the closure, and the package whose version counts. Source:
 * nixpkgs, nixos/modules/system/boot/loader/, and earlier names of the same files.
 */
const loaders: readonly { loader: string; installer: RegExp; package: string | null }[] = [
  // The version of systemd-boot is that of systemd, which is a reason of its own.
  { loader: 'systemd-boot', installer: /^(install-systemd-boot\.sh|systemd-boot(-builder\.(py|sh))?)$/, package: null },
  { loader: 'GRUB', installer: /^install-grub\.(sh|pl)$/, package: 'grub' },
  { loader: 'extlinux', installer: /^(install-extlinux-conf|extlinux-conf-builder)\.sh$/, package: null },
  { loader: 'Limine', installer: /^limine-install\.(py|sh)$/, package: 'limine' },
  { loader: 'rEFInd', installer: /^refind-install(\.py)?$/, package: 'refind' },
  { loader: 'init script', installer: /^init-script-builder\.sh$/, package: null },
];

/** A boot loader that a system installs. */
interface BootLoader {
  loader: string;
  /** Empty if it is not known. */
  version: string;
}

/**
 * How the boot loader changes, in words: `boot loader GRUB 2.06 → 2.12`. Null if it stays, or if one of the systems does not
 * say which one it installs.
 */
export function bootLoaderChange(
  before: readonly ClosurePath[] | null,
  after: readonly ClosurePath[] | null,
): string | null {
  const [was, is] = [bootLoaderOf(before ?? []), bootLoaderOf(after ?? [])];
  if (was === null || is === null) return null;
  if (was.loader !== is.loader) return `boot loader ${named(was)} → ${named(is)}`;
  if (was.version === is.version || was.version === '' || is.version === '') return null;
  return `boot loader ${named(was)} → ${is.version}`;
}

function named({ loader, version }: BootLoader): string {
  return `${loader} ${version}`.trim();
}

function bootLoaderOf(closure: readonly ClosurePath[]): BootLoader | null {
  const names = closure.map(({ path }) => path.replace(/^.*\/[0-9a-z]{32}-/s, ''));
  const found = loaders.find(({ installer }) => names.some(name => installer.test(name)));
  if (found === undefined) return null;
  const versions = names.map(packageName).filter(({ name }) => name === found.package);
  return {
    loader: found.loader,
    version:
      versions
        .map(({ version }) => version)
        .sort()
        .at(-1) ?? '',
  };
}
