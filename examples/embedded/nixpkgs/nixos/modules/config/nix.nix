{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  words = types.coercedTo types.str (lib.splitString " ") (types.listOf types.str);
  show = value: if builtins.isBool value then lib.boolToString value else toString value;
in
{
  # Option names before 22.05.
  imports = [
    (lib.mkRenamedOptionModule [ "nix" "binaryCaches" ] [ "nix" "settings" "substituters" ])
    (lib.mkRenamedOptionModule
      [ "nix" "binaryCachePublicKeys" ]
      [ "nix" "settings" "trusted-public-keys" ]
    )
    (lib.mkRenamedOptionModule [ "nix" "trustedUsers" ] [ "nix" "settings" "trusted-users" ])
  ];

  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
    };
    package = mkOption {
      type = types.nullOr types.raw;
      default = null;
    };
    settings = mkOption {
      default = { };
      type = types.submodule {
        freeformType = types.attrsOf types.anything;
        options = {
          substituters = mkOption {
            type = words;
            default = [ ];
          };
          trusted-public-keys = mkOption {
            type = words;
            default = [ ];
          };
          trusted-users = mkOption {
            type = words;
            default = [ ];
          };
        };
      };
    };
    extraOptions = mkOption {
      type = types.lines;
      default = "";
    };
    gc = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    optimise = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    distributedBuilds = lib.mkEnableOption "distributed builds";
    buildMachines = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
    };
    nixPath = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    registry = mkOption {
      type = types.attrsOf types.anything;
      default = { };
    };
  };

  config = {
    nix.settings.trusted-users = [ "root" ];
    nix.settings.substituters = lib.mkAfter [ "https://cache.nixos.org/" ];
    environment.etc."nix/nix.conf".text =
      lib.concatLines (lib.mapAttrsToList (name: value: "${name} = ${show value}") config.nix.settings)
      + config.nix.extraOptions;
  };
}
