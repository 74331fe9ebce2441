import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Format } from '../../../src/plan/fleet.ts';
import { repository } from './machine.ts';
import type { PlanFixture } from './plan-fixture.ts';

/** The formats, and the tools that may be written in a flake too. */
export const forms = [
  'flake',
  'expression',
  'configuration',
  'morph',
  'nixops',
  'nixops in a flake',
  'deploy-rs',
  'colmena',
  'colmena in a flake',
] as const;
export type Form = (typeof forms)[number];

export function formatOf(form: Form): Format {
  return form.replace(' in a flake', '') as Format;
}

/** A repository of one form, as its files. */
export interface FleetFiles {
  files: Record<string, string>;
  /** The main file. */
  main: string;
  /** The file with a host's module. */
  moduleOf(host: string): string;
}

/** Text as a Nix string literal. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\$\{/g, '\\${')}"`;
}

/** A module that evaluates, for a host with this name. */
export function named(host: string): string {
  return sound(`networking.hostName = "${host}";`);
}

/** The files of a fleet of these hosts. */
export function namedFleet(form: Form, hosts: readonly string[], fixture: PlanFixture): FleetFiles['files'] {
  return fleetOf(form, Object.fromEntries(hosts.map(host => [host, named(host)])), fixture).files;
}

/**
 * A fleet of this form with these hosts; each host's module is a file.
 *
 * @param hosts host → its module.
 */
export function fleetOf(form: Form, hosts: Readonly<Record<string, string>>, fixture: PlanFixture): FleetFiles {
  const names = Object.keys(hosts);
  const folder = form === 'configuration';
  const moduleOf = (host: string): string =>
    folder ? `hosts/${host}/configuration.nix` : `hosts/${names.indexOf(host)}.nix`;
  const each = (entry: (host: string, path: string) => string): string =>
    names.map(host => `  ${quoted(host)} = ${entry(host, `./${moduleOf(host)}`)};`).join('\n');
  const pin = pinOf(fixture);
  const configurations = `nixosConfigurations = {\n${each((_, path) => `nixpkgs.lib.nixosSystem { modules = [ ${path} ]; }`)}\n};`;
  const lock = lockOf(fixture);
  const deployment = (_: string, path: string): string =>
    `{ imports = [ ${path} ]; deployment.targetHost = "host.example.org"; }`;
  const packages = 'import (import ./nixpkgs.nix) { system = "x86_64-linux"; }';
  const inFlake = (output: string, text: string) => ({
    main: 'flake.nix',
    files: {
      'flake.nix': `{
inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
outputs = { nixpkgs, ... }: { ${output} = {
${text}
${each(deployment)}
}; };
}`,
      'flake.lock': lock,
    },
  });
  const sources: Record<Form, { main: string; files: Record<string, string> }> = {
    flake: {
      main: 'flake.nix',
      files: {
        'flake.nix': `{
inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
outputs = { nixpkgs, ... }: { ${configurations} };
}`,
        'flake.lock': lock,
      },
    },
    'deploy-rs': {
      main: 'flake.nix',
      files: {
        'flake.nix': `{
inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
outputs = { self, nixpkgs }: {
${configurations}
deploy.nodes = builtins.mapAttrs (_: host: {
  hostname = "host.example.org";
  profiles.system.path = nixpkgs.legacyPackages.x86_64-linux.buildEnv { name = "activatable"; paths = [ host.config.system.build.toplevel ]; };
}) self.nixosConfigurations; };
}`,
        'flake.lock': lock,
      },
    },
    expression: {
      main: 'nixos.nix',
      files: {
        'nixos.nix': `let nixos = import (import ./nixpkgs.nix + "/nixos"); in {
${each((_, path) => `nixos { configuration = ${path}; system = "x86_64-linux"; }`)}
}`,
        'nixpkgs.nix': pin,
      },
    },
    configuration: { main: moduleOf(names[0] ?? ''), files: { 'nixpkgs.nix': pin } },
    morph: {
      main: 'network.nix',
      files: { 'network.nix': `{\nnetwork.pkgs = ${packages};\n${each(deployment)}\n}`, 'nixpkgs.nix': pin },
    },
    nixops: {
      main: 'network.nix',
      files: { 'network.nix': `{\nnetwork.nixpkgs = ${packages};\n${each(deployment)}\n}`, 'nixpkgs.nix': pin },
    },
    'nixops in a flake': inFlake('nixopsConfigurations.default', 'inherit nixpkgs;'),
    'colmena in a flake': inFlake('colmena', 'meta.nixpkgs = import nixpkgs { system = "x86_64-linux"; };'),
    colmena: {
      main: 'hive.nix',
      files: { 'hive.nix': `{\nmeta.nixpkgs = ${packages};\n${each(deployment)}\n}`, 'nixpkgs.nix': pin },
    },
  };
  const modules = Object.fromEntries(names.map(host => [moduleOf(host), hosts[host] ?? '']));
  return { main: sources[form].main, files: { ...sources[form].files, ...modules }, moduleOf };
}

/** A nixpkgs.nix that pins the miniature. */
export function pinOf(fixture: PlanFixture): string {
  return `fetchTarball {\n  url = "https://example.invalid/nixpkgs.tar.gz";\n  sha256 = "${fixture.miniature.base32}";\n}\n`;
}

/** The flake example's lock file, with the miniature instead of nixpkgs. */
export function lockOf(fixture: PlanFixture): string {
  const lock = JSON.parse(readFileSync(join(repository, 'examples/flake/flake.lock'), 'utf8')) as {
    nodes: { nixpkgs: { locked: object } };
  };
  lock.nodes.nixpkgs.locked = { type: 'path', path: fixture.miniature.path, narHash: fixture.miniature.sri };
  return JSON.stringify(lock);
}

/** A module that evaluates, with additional `lines`. */
export function sound(...lines: string[]): string {
  return `{ lib, config, ... }:\n{\n  nixpkgs.hostPlatform = "x86_64-linux";\n${lines.map(line => `  ${line}\n`).join('')}}\n`;
}
