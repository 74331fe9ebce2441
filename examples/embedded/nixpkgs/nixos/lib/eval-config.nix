# A NixOS configuration from modules. `system = null` leaves the platform to the modules, as flakes do.
{
  system ? builtins.currentSystem,
  pkgs ? null,
  baseModules ? import ../modules/module-list.nix,
  extraArgs ? { },
  specialArgs ? { },
  modules,
  extraModules ? [ ],
  check ? true,
  prefix ? [ ],
  lib ? import ../../lib,
  modulesLocation ? null,
}:
let
  given = {
    _file = ./eval-config.nix;
    key = "eval-config.nix";
    config.nixpkgs =
      lib.optionalAttrs (system != null) { system = lib.mkDefault system; }
      // lib.optionalAttrs (pkgs != null) { pkgs = lib.mkDefault pkgs; };
  };
  located =
    if modulesLocation == null then
      modules
    else
      map (lib.setDefaultModuleLocation modulesLocation) modules;
  evaluated = lib.evalModules {
    inherit prefix check;
    class = "nixos";
    modules = baseModules ++ extraModules ++ [ given ] ++ located;
    args = extraArgs;
    specialArgs = {
      modulesPath = toString ../modules;
    }
    // specialArgs;
  };
  result = evaluated: {
    inherit (evaluated)
      config
      options
      type
      _module
      ;
    inherit (evaluated._module.args) pkgs;
    inherit lib extraArgs;
    class = "nixos";
    extendModules = args: result (evaluated.extendModules args);
  };
in
result evaluated
