# Writes the firewall's settings to /run/firewall: a simulated machine shares its network with the real one.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking.firewall;
  ports = mkOption {
    type = types.listOf types.port;
    default = [ ];
    apply = list: builtins.sort builtins.lessThan (lib.unique list);
  };
  ranges = mkOption {
    type = types.listOf (types.attrsOf types.port);
    default = [ ];
  };
  rules = pkgs.writeText "firewall-rules" ''
    tcp ${toString cfg.allowedTCPPorts}
    udp ${toString cfg.allowedUDPPorts}
  '';
in
{
  options.networking.firewall = {
    enable = mkOption {
      type = types.bool;
      default = true;
    };
    allowPing = mkOption {
      type = types.bool;
      default = true;
    };
    allowedTCPPorts = ports;
    allowedUDPPorts = ports;
    allowedTCPPortRanges = ranges;
    allowedUDPPortRanges = ranges;
  };

  config.systemd.services.firewall = lib.mkIf cfg.enable {
    description = "Firewall";
    wantedBy = [ "multi-user.target" ];
    reloadIfChanged = true;
    script = "cp ${rules} /run/firewall";
    reload = "cp ${rules} /run/firewall";
    postStop = "rm -f /run/firewall";
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
  };
}
