import { expect, test } from '@jest/globals';
import { codeOf, lineOf, reachesOut, readsMachine, searchPaths, unpinnedFetches } from '../../src/plan/pins/scan.ts';

test.each<[string, string]>([
  ['a # b\nc', 'a    \nc'],
  ['a /* b\n */ c', 'a     \n    c'],
  ['a "b # c" d', 'a "     " d'],
  ['a "b \\" c" d', 'a "      " d'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix's own
  ['"x ${f "y"} z" w', '"    f " "   " w'],
  ["''a '''b ''\\n c'' d", "''             '' d"],
  ['"never closed', '"            '],
])('%j: code is kept in its place', (text, code) => {
  expect(codeOf(text)).toBe(code);
  expect(codeOf(text)).toHaveLength(text.length);
});

const commit = '0123456789abcdef0123456789abcdef01234567';

test.each<[string, string[]]>([
  ['fetchTarball "https://x/y.tar.gz"', ['fetchTarball']],
  ['fetchTarball https://x/y.tar.gz', ['fetchTarball']],
  ['builtins.fetchTarball { url = "https://x"; }', ['fetchTarball']],
  ['fetchTarball "channel:nixos-25.05"', ['fetchTarball']],
  ['fetchTarball ("https://x/" + rev)', ['fetchTarball']],
  [`fetchTarball { url = "https://x/${commit}.tar.gz"; }`, ['fetchTarball']],
  ['fetchTarball { url = "https://x"; sha256 = "0abc"; }', []],
  ['fetchTarball { inherit url; inherit (pin) sha256; }', []],
  ['fetchTarball pin', []],
  ['fetchTarball ({ inherit url; } // hash)', []],
  ['{ fetchTarball ? builtins.fetchTarball }: fetchTarball', []],
  ['# fetchTarball "https://x"', []],
  ['"fetchTarball \\"https://x\\""', []],
  ['pkgs.fetchurl { url = "https://x"; }', []],
  ['builtins.fetchurl "https://x"', ['fetchurl']],
  ['builtins.fetchGit { url = "https://x"; ref = "main"; }', ['fetchGit']],
  ['builtins.fetchGit "https://x"', ['fetchGit']],
  [`builtins.fetchGit { url = "https://x"; rev = "${commit}"; }`, []],
  ['builtins.fetchGit { url = ./.; }', []],
  ['builtins.fetchGit ./.', []],
  ['builtins.getFlake "github:NixOS/nixpkgs"', ['getFlake']],
  [`builtins.getFlake "github:NixOS/nixpkgs/${commit}"`, []],
  ['builtins.getFlake (toString ./.)', []],
  ['builtins.fetchTree { type = "github"; owner = "a"; repo = "b"; }', ['fetchTree']],
  [`builtins.fetchTree { type = "github"; owner = "a"; repo = "b"; rev = "${commit}"; }`, []],
])('%s', (text, expected) => {
  expect(unpinnedFetches(text).map(({ what }) => what)).toEqual(expected);
});

test('search paths are distinguished from comparisons, comments and <nix/…>', () => {
  const text = 'a < b && c > d; x = <nixpkgs/nixos>; # <y>\n y = <nix/fetchurl.nix>; z = "<z>"; import <home-manager>';
  expect(searchPaths(text).map(({ what }) => what)).toEqual(['<nixpkgs/nixos>', '<home-manager>']);
  expect(searchPaths(text).map(({ at }) => lineOf(text, at))).toEqual([1, 2]);
});

test.each<[string, number, boolean]>([
  ['{ imports = [ ./a.nix ]; }', 0, false],
  ['{ imports = [ ../a.nix ]; }', 0, true],
  ['{ imports = [ ../a.nix ]; }', 1, false],
  ['{ imports = [ ../../a.nix ]; }', 1, true],
  ['import ../nixpkgs.nix { }', 0, true],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix's own
  ['"${./.}/../x"', 0, true],
  ['./. + "/.."', 0, true],
  ['[ ./.. ]', 0, true],
  ['builtins.dirOf ./.', 3, true],
  ['{ pkgs, ... }: a.b..c', 0, false],
])('%s, %d folders deep, may name what is outside: %p', (text, depth, reaches) => {
  expect(reachesOut(text, depth)).toBe(reaches);
});

test.each<[string, boolean]>([
  // It is empty in every evaluation; npins and niv look for a variable that replaces a pin.
  ['builtins.getEnv "NPINS_OVERRIDE_nixpkgs"', false],
  ['toString builtins.currentTime', true],
  ['"currentTime" # currentTime', false],
])('%s reads the machine: %p', (text, reads) => {
  expect(readsMachine(text)).toBe(reads);
});
