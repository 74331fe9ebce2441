{ ... }:
{
  imports = [ ../common.nix ];

  nixpkgs.hostPlatform = "x86_64-linux";
  networking.hostName = "db";
  networking.firewall.allowedTCPPorts = [ 5432 ];
  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
}
