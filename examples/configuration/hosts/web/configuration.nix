{ ... }:
{
  imports = [
    ./hardware-configuration.nix
    ../../common.nix
  ];

  networking.hostName = "web";
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];
  boot.loader.systemd-boot.enable = true;
  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = "/var/www";
  };
}
