/**
 * What only a boot makes effective, as files of a toplevel, and what to call them. `target/activation/booted.sh` compares
 * the same files on a target, and a preview compares them on the runner.
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

/** Reads names of parts, separated by spaces. */
export function readBootedParts(text: string): BootedPart[] {
  return text.split(' ').filter((name): name is BootedPart => Object.hasOwn(bootedParts, name));
}

/** "the machine was not booted with its kernel, kernel parameters": the reason of a reboot, for a system. */
export function rebootSentence(parts: readonly BootedPart[]): string {
  return `the machine was not booted with its ${parts.map(part => bootedParts[part]).join(', ')}`;
}
