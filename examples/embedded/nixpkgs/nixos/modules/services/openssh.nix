# A simulated machine keeps the SSH server that it is reached by: these options only declare what a real one would have.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.openssh;
in
{
  options.services.openssh = {
    enable = lib.mkEnableOption "the OpenSSH server";
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
    };
    settings = mkOption {
      type = types.submodule { freeformType = types.attrsOf types.anything; };
      default = { };
    };
    permitRootLogin = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    passwordAuthentication = mkOption {
      type = types.nullOr types.bool;
      default = null;
    };
    hostKeys = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
    };
  };
  config.networking.firewall.allowedTCPPorts = lib.optionals (
    cfg.enable && cfg.openFirewall
  ) cfg.ports;
}
