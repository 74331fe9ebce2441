/** How the open ports change, each as `tcp 443`, `udp 60000-61000` or `tcp 22 on eth0`. */
export interface FirewallChange {
  opened: string[];
  closed: string[];
  /** Whether the firewall is turned on or off; null if neither. */
  turned: 'on' | 'off' | null;
}

/** Compares the rules of two systems, as in their descriptions. */
export function compareFirewalls(before: readonly string[] | null, after: readonly string[] | null): FirewallChange {
  const [was, is] = [openPorts(before ?? []), openPorts(after ?? [])];
  const turned = (before === null) === (after === null) ? null : after === null ? 'off' : 'on';
  return {
    opened: [...is].filter(port => !was.has(port)),
    closed: [...was].filter(port => !is.has(port)),
    turned,
  };
}

/**
 * The ports that rules open. Source of their forms: nixos/modules/services/networking/firewall-iptables.nix
 * (`ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept -i eth0`) and firewall-nftables.nix
 * (`iifname eth0 tcp dport { 22, 8000-8010 } accept`). Rules with other conditions are not ports that are open to all.
 */
export function openPorts(rules: readonly string[]): Set<string> {
  return new Set(rules.flatMap(rule => (rule.includes('--dport') ? iptablesPort(rule) : nftablesPorts(rule))));
}

function iptablesPort(rule: string): string[] {
  const words = rule.trim().split(/\s+/);
  const after = (word: string): string | undefined => words[words.indexOf(word) + 1];
  const [protocol, port] = [after('-p'), after('--dport')];
  const accepted = words.includes('-j') && after('-j') === 'nixos-fw-accept';
  if (!accepted || protocol === undefined || port === undefined || words.includes('-s')) return [];
  return [named(protocol, port.replace(':', '-'), words.includes('-i') ? after('-i') : undefined)];
}

function nftablesPorts(rule: string): string[] {
  const form = /^(?:iifname (\S+) )?(tcp|udp) dport (?:\{ ([^}]*) \}|(\S+)) accept\b/;
  const [, device, protocol = '', set, single = ''] = form.exec(rule.trim().replace(/\s+/g, ' ')) ?? [];
  if (protocol === '') return [];
  return (set ?? single).split(/\s*,\s*/).map(port => named(protocol, port, device?.replaceAll('"', '')));
}

function named(protocol: string, port: string, device: string | undefined): string {
  return `${protocol} ${port}${device === undefined ? '' : ` on ${device}`}`;
}
