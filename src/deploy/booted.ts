/**
 * What only a boot makes effective, as files of a toplevel, and what to call them. `target/activation/booted.sh` compares
 * the same files on a target.
 */
export const bootedParts = {
  kernel: 'kernel',
  initrd: 'initrd',
  'kernel-modules': 'kernel modules',
  systemd: 'systemd',
  'kernel-params': 'kernel parameters',
  'init-interface-version': 'init interface',
} as const;

export type BootedPart = keyof typeof bootedParts;

/** A system as far as a reboot depends on it: where its links lead, and what its files contain; null: it has no such file. */
export type BootedSystem = Readonly<Record<BootedPart, string | null>>;

/**
 * Why a machine needs a reboot: the parts in which the system that it was booted with and another one differ. A part that
 * one of them does not have is not compared, because older systems lack some.
 */
export function rebootReasons(booted: BootedSystem, next: BootedSystem): BootedPart[] {
  return (Object.keys(bootedParts) as BootedPart[]).filter(
    part => booted[part] !== null && next[part] !== null && booted[part] !== next[part],
  );
}

/** Reads names of parts, separated by spaces. */
export function readBootedParts(text: string): BootedPart[] {
  return text.split(' ').filter((name): name is BootedPart => Object.hasOwn(bootedParts, name));
}

/** "the machine was not booted with its kernel, kernel parameters": the reason of a reboot, for a system. */
export function rebootSentence(parts: readonly BootedPart[]): string {
  return `the machine was not booted with its ${parts.map(part => bootedParts[part]).join(', ')}`;
}
