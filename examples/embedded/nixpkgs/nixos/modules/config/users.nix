# Accounts: their keys are installed, but no account is created or changed.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  user = types.submodule (
    { name, ... }:
    {
      freeformType = types.attrsOf types.anything;
      options = {
        name = mkOption {
          type = types.str;
          default = name;
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = false;
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.singleLineStr;
          default = [ ];
        };
      };
    }
  );
  withKeys = lib.filterAttrs (_: u: u.openssh.authorizedKeys.keys != [ ]) config.users.users;
in
{
  options = {
    users = {
      mutableUsers = mkOption {
        type = types.bool;
        default = true;
      };
      users = mkOption {
        type = types.attrsOf user;
        default = { };
      };
      groups = mkOption {
        type = types.attrsOf types.attrs;
        default = { };
      };
    };
    security = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
  };

  config.environment.etc = lib.mapAttrs' (
    _: u:
    lib.nameValuePair "ssh/authorized_keys.d/${u.name}" {
      text = lib.concatLines u.openssh.authorizedKeys.keys;
    }
  ) withKeys;
}
