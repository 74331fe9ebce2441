import { colmena } from './colmena.ts';
import { configuration } from './configuration.ts';
import { deployRs } from './deploy-rs.ts';
import { expression } from './expression.ts';
import { flake } from './flake.ts';
import type { FormatDefinition } from './format.ts';
import { morph } from './morph.ts';
import { nixops } from './nixops.ts';

/** All formats. To add one, write its file next to this one and its adapter in nix/, and list it here. */
const registry = { flake, expression, configuration, morph, nixops, 'deploy-rs': deployRs, colmena };

export type Format = keyof typeof registry;

export const formats: Readonly<Record<Format, FormatDefinition>> = registry;

export const formatNames = Object.keys(registry) as Format[];
