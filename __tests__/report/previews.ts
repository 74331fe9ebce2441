import type { Change, Preview, UnitChange } from '../../src/preview/index.ts';
import type { PackageChanges } from '../../src/preview/packages.ts';

/** Example previews, for the tests of the report. */
export function units(more: Partial<UnitChange> = {}): UnitChange {
  return {
    ...{ stop: [], start: [], restart: [], reload: [], kept: [], fresh: [], swapOff: [], restartsSystemd: false },
    ...{ statesKnown: true, unknown: [], error: null },
    ...more,
  };
}

export function packages(more: Partial<PackageChanges> = {}): PackageChanges {
  return {
    ...{ added: [], removed: [], updated: [], rebuilt: { names: [], bytes: 0 } },
    ...{ others: { added: 0, removed: 0, bytes: 0 }, bytes: { before: 0, after: 0 } },
    ...more,
  };
}

/** A change of one unit and one package, with the toplevels of this host. */
export function change(host: string, more: Partial<Change> = {}): Change {
  return {
    before: `/nix/store/aaaa-nixos-${host}`,
    after: `/nix/store/bbbb-nixos-${host}`,
    units: units({ restart: ['nginx.service'] }),
    packages: packages({
      updated: [{ name: 'nginx', from: ['1.26.0'], to: ['1.27.1'], bytes: 2048 }],
      bytes: { before: 1_000_000, after: 1_002_048 },
    }),
    ...{ reboot: [], firewall: { opened: [], closed: [], turned: null } },
    ...{ users: { added: [], removed: [] }, groups: { added: [], removed: [] }, etc: [], secrets: null },
    ...more,
  };
}

export function preview(host: string, more: Partial<Change> = {}): Preview {
  const machine = { kernel: '6.12', bootId: 'x', profile: null, boot: null };
  return { host, known: true, comparedWith: 'target', change: change(host, more), machine };
}

/** A host whose target runs what was built. */
export function unchanged(host: string, more: Partial<Change> = {}): Preview {
  const toplevel = `/nix/store/aaaa-nixos-${host}`;
  return preview(host, { before: toplevel, after: toplevel, units: units(), packages: packages(), ...more });
}
