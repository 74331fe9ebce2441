{ ... }:
{
  imports = [
    ./hardware-configuration.nix
    ../../common.nix
  ];

  networking.hostName = "db";
  networking.firewall.allowedTCPPorts = [ 5432 ];
  boot.loader.systemd-boot.enable = true;
}
