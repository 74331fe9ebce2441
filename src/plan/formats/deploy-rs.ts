import { checkIsFlake, flakeAdapter } from './adapter.ts';
import type { FormatDefinition } from './format.ts';

/** deploy-rs: a flake's `deploy.nodes`. */
export const deployRs: FormatDefinition = {
  mainFiles: [],
  flakeOutputs: ['deploy'],
  adapter(main, source) {
    checkIsFlake('deploy-rs', main);
    return flakeAdapter('deploy-rs', source);
  },
  leftOut(host, { [host]: profiles }) {
    if (!Array.isArray(profiles) || profiles.length === 0) return null;
    return `${JSON.stringify(host)} has profiles that are not NixOS systems, ${profiles.join(', ')}: they are not deployed.`;
  },
  notHosts(names, notes) {
    const others = Object.keys(notes).filter(node => !names.includes(node));
    if (others.length === 0) return null;
    return `Nodes without a profile \`system\` are not NixOS systems and are left out: ${others.join(', ')}.`;
  },
};
