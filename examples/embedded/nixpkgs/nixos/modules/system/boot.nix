{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
in
{
  options.boot = {
    kernelPackages = mkOption {
      type = types.raw;
      default = pkgs.linuxPackages;
    };
    kernelParams = strings;
    kernelModules = strings;
    blacklistedKernelModules = strings;
    supportedFilesystems = strings;
    extraModulePackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
    };
    extraModprobeConfig = mkOption {
      type = types.lines;
      default = "";
    };
    kernel.sysctl = mkOption {
      type = types.attrsOf types.anything;
      default = { };
    };
    initrd = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    tmp = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    binfmt.emulatedSystems = strings;
    growPartition = mkOption {
      type = types.bool;
      default = false;
    };
  };
  config = {
    boot.kernelParams = [ "loglevel=4" ];
    environment.etc."modules-load.d/nixos.conf".text = lib.concatLines config.boot.kernelModules;
    environment.etc."sysctl.d/60-nixos.conf".text = lib.concatLines (
      lib.mapAttrsToList (name: value: "${name} = ${toString value}") config.boot.kernel.sysctl
    );
  };
}
