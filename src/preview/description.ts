import type { KeptDigest } from '../deploy/secrets/digest.ts';

/** A unit file or drop-in by its name in etc/systemd/system, as `nginx.service` or `nginx.service.d/overrides.conf`. */
export type UnitFiles = Readonly<Record<string, string | null>>;

/** A store path of a closure. */
export interface ClosurePath {
  path: string;
  /** Size of its NAR. */
  bytes: number;
}

/** An entry of a generation's etc. */
export interface EtcEntry {
  /** Where its link leads; null if it is no link. */
  target: string | null;
  /** SHA-256 of the file, in hex; null if it is a directory. */
  hash: string | null;
  /** Null if it is not small, not text or may be secret. */
  text: string | null;
}

/** What a system consists of: read from a machine that runs it, or from the store in which it was built. */
export interface SystemDescription {
  toplevel: string;
  /** Null if Nix does not say. */
  closure: readonly ClosurePath[] | null;
  /** Links of the toplevel that only a reboot or systemd itself takes up (`kernel`, `initrd`, …), and where they lead. */
  parts: Readonly<Record<string, string>>;
  /** Files of the toplevel, such as `kernel-params`. */
  files: Readonly<Record<string, string>>;
  /** A masked unit is null. */
  units: UnitFiles;
  /** Links in directories such as `multi-user.target.wants`, as `multi-user.target.wants/nginx.service`. */
  wants: readonly string[];
  /** Entries of etc by name, without unit files. */
  etc: Readonly<Record<string, EtcEntry>>;
  /** Accounts that the generation declares; null if it does not say. */
  users: readonly string[] | null;
  groups: readonly string[] | null;
  /** Lines of the firewall's rules that name a destination port; null if there is no firewall that we can read. */
  firewall: readonly string[] | null;
}

/** The states of a unit that is not inactive, in systemd's words. */
export interface UnitState {
  active: string;
  sub: string;
}

/** A machine that runs NixOS, as it describes itself (`target/describe.sh`). */
export interface MachineDescription {
  system: SystemDescription;
  /** The parts and files of the system that was booted; null if they are not known. */
  booted: Pick<SystemDescription, 'parts' | 'files'> | null;
  /** Release of the running kernel. */
  kernel: string;
  bootId: string;
  /** Toplevel of the system profile; null without one. */
  profile: string | null;
  /** Toplevel that the boot loader starts by default; null if it cannot be read. */
  boot: string | null;
  /** Units that are not inactive. */
  states: Readonly<Record<string, UnitState>>;
  /** Units that systemd does not read from /etc. */
  shadowed: readonly string[];
  /** Of the secrets that it got from runs with a signing key. */
  secrets: readonly KeptDigest[];
  /** /etc/fstab, which may not be the generation's. */
  fstab: string;
  /** Units in the lists that an interrupted switch-to-configuration left. */
  pending: Readonly<Record<'start' | 'restart' | 'reload', readonly string[]>>;
}

/** Parts of a toplevel that are compared, by their place in it. */
export const partNames = [
  'kernel',
  'initrd',
  'kernel-modules',
  'firmware',
  'systemd',
  'etc/systemd/system.conf',
] as const;

export const fileNames = ['kernel-params', 'init-interface-version', 'nixos-version', 'switch-inhibitors'] as const;
