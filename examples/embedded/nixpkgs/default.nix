# Packages for one system, in the shape of nixpkgs: `import ./. { system = "aarch64-linux"; }`.
#
# Everything is built with one static busybox of that system, `bootstrap/<system>/busybox`, which is not kept in Git:
# `../fetch-bootstrap.sh` downloads it. Builds need neither network nor cache.
{
  system ? builtins.currentSystem,
  localSystem ? { inherit system; },
  crossSystem ? null,
  config ? { },
  overlays ? [ ],
  ...
}:
let
  lib = import ./lib;
  buildPlatform = lib.systems.elaborate localSystem;
  # Nothing is compiled here, so there is no cross compiler: packages for another system are built on that system.
  hostPlatform = if crossSystem == null then buildPlatform else lib.systems.elaborate crossSystem;

  base = final: {
    inherit lib config overlays;
    inherit (hostPlatform) system;
    path = ./.;
    pkgs = final;
    callPackage = lib.callPackageWith final;
    nixos =
      configuration:
      import ./nixos {
        inherit configuration;
        inherit (final) system;
      };
    stdenv = import ./pkgs/stdenv.nix { inherit lib buildPlatform hostPlatform; };
    stdenvNoCC = final.stdenv;
    inherit (hostPlatform) isLinux isAarch64;
  };
  layers = [
    (final: _: import ./pkgs/builders.nix final)
    (final: _: import ./pkgs/all-packages.nix final)
  ]
  ++ overlays;
  pkgs = builtins.foldl' (
    below: overlay: final:
    let
      previous = below final;
    in
    previous // overlay final previous
  ) base layers;
  final = pkgs final // {
    extend =
      overlay:
      import ./. {
        inherit localSystem crossSystem config;
        overlays = overlays ++ [ overlay ];
      };
    appendOverlays =
      more:
      import ./. {
        inherit localSystem crossSystem config;
        overlays = overlays ++ more;
      };
  };
in
final
