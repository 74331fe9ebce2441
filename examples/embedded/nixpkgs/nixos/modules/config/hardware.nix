# What a hardware-configuration.nix sets. A simulated machine has no hardware: fileSystems becomes fstab, and the rest has no
# effect.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  mountOptions = fileSystem: lib.concatStringsSep "," fileSystem.options;
  row =
    fileSystem:
    "${toString fileSystem.device} ${fileSystem.mountPoint} ${fileSystem.fsType} ${mountOptions fileSystem} 0 2";
in
{
  options = {
    fileSystems = mkOption {
      default = { };
      type = types.attrsOf (
        types.submodule (
          { name, config, ... }:
          {
            options = {
              mountPoint = mkOption {
                type = types.str;
                default = name;
              };
              device = mkOption {
                type = types.nullOr types.str;
                default = if config.label == null then null else "/dev/disk/by-label/${config.label}";
              };
              label = mkOption {
                type = types.nullOr types.str;
                default = null;
              };
              fsType = mkOption {
                type = types.str;
                default = "auto";
              };
              options = mkOption {
                type = types.listOf types.str;
                default = [ "defaults" ];
              };
              neededForBoot = mkOption {
                type = types.bool;
                default = false;
              };
              autoResize = mkOption {
                type = types.bool;
                default = false;
              };
            };
          }
        )
      );
    };
    swapDevices = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
    };
    hardware = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    powerManagement = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
  };

  config.environment.etc.fstab.text = lib.concatLines (
    [ "# <file system> <mount point> <type> <options> <dump> <pass>" ]
    ++ lib.mapAttrsToList (_: row) config.fileSystems
  );
}
