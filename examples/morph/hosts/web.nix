{ ... }:
{
  imports = [ ../common.nix ];

  nixpkgs.hostPlatform = "x86_64-linux";
  networking.hostName = "web";
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];
  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = "/var/www";
  };
}
