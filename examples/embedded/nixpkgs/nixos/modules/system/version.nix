{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system.nixos;
  json = builtins.toJSON (
    {
      nixosVersion = cfg.version;
    }
    // lib.optionalAttrs (config.system.configurationRevision != null) {
      inherit (config.system) configurationRevision;
    }
  );
in
{
  options.system = {
    stateVersion = mkOption {
      type = types.str;
      default = cfg.release;
    };
    configurationRevision = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The Git revision of the configuration.";
    };
    nixos = {
      version = mkOption {
        type = types.str;
        default = lib.version;
      };
      release = mkOption {
        type = types.str;
        default = lib.release;
        readOnly = true;
      };
      label = mkOption {
        type = types.str;
        default = cfg.version;
      };
      tags = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
    };
    name = mkOption {
      type = types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
    };
  };

  config = {
    system.build.nixos-version = pkgs.writeShellScriptBin "nixos-version" ''
      case "''${1-}" in
      --json) echo ${lib.escapeShellArg json} ;;
      --configuration-revision) echo ${lib.escapeShellArg (toString config.system.configurationRevision)} ;;
      *) echo ${lib.escapeShellArg cfg.version} ;;
      esac
    '';
    environment.etc.os-release.text = ''
      ID=nixos
      NAME=NixOS
      VERSION_ID="${cfg.release}"
      PRETTY_NAME="NixOS ${cfg.version}"
    '';
  };
}
