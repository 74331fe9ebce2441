{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  fqdn = if cfg.domain == null then cfg.hostName else "${cfg.hostName}.${cfg.domain}";
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "|[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?";
      default = "nixos";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    hostId = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    fqdn = mkOption {
      type = types.str;
      default = fqdn;
      readOnly = true;
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
    };
    nameservers = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    defaultGateway = mkOption {
      type = types.nullOr (types.either types.str types.attrs);
      default = null;
    };
    useDHCP = mkOption {
      type = types.bool;
      default = true;
    };
    useNetworkd = lib.mkEnableOption "systemd-networkd";
    interfaces = mkOption {
      type = types.attrsOf types.anything;
      default = { };
    };
    wireless = mkOption {
      type = types.submodule { freeformType = types.anything; };
      default = { };
    };
    networkmanager.enable = lib.mkEnableOption "NetworkManager";
  };

  config = {
    networking.hosts = {
      "127.0.0.1" = [ "localhost" ];
      "127.0.0.2" = [ fqdn ] ++ lib.optional (fqdn != cfg.hostName) cfg.hostName;
    };
    environment.etc = {
      hostname.text = "${cfg.hostName}\n";
      hosts.text =
        lib.concatLines (lib.mapAttrsToList (address: names: "${address} ${toString names}") cfg.hosts)
        + cfg.extraHosts;
    };
  };
}
