{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  options = {
    environment = {
      systemPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages for all users, in /run/current-system/sw.";
      };
      variables = mkOption {
        type = types.attrsOf (types.either types.str types.int);
        default = { };
      };
      sessionVariables = mkOption {
        type = types.attrsOf (types.either types.str types.int);
        default = { };
      };
      shellAliases = mkOption {
        type = types.attrsOf types.str;
        default = { };
      };
    };
    time.timeZone = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    i18n.defaultLocale = mkOption {
      type = types.str;
      default = "en_US.UTF-8";
    };
    console.keyMap = mkOption {
      type = types.str;
      default = "us";
    };
    documentation.enable = mkOption {
      type = types.bool;
      default = true;
    };
    programs = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
      description = "Accepted but not used: this nixpkgs has no programs to configure.";
    };
    users.motd = mkOption {
      type = types.nullOr types.lines;
      default = null;
    };
    system.path = mkOption {
      type = types.package;
      internal = true;
    };
  };

  config = {
    environment.systemPackages = [
      pkgs.busybox
      config.system.build.nixos-version
    ];
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = config.environment.systemPackages;
      pathsToLink = [
        "/bin"
        "/share"
      ];
    };
    environment.etc = {
      "set-environment".text = lib.concatLines (
        lib.mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg value}") (
          config.environment.variables // config.environment.sessionVariables
        )
      );
      "zoneinfo".source = pkgs.tzdata;
    }
    // lib.optionalAttrs (config.time.timeZone != null) { timezone.text = "${config.time.timeZone}\n"; }
    // lib.optionalAttrs (config.users.motd != null) { motd.text = config.users.motd; };
  };
}
