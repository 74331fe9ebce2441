{ modulesPath, ... }:
{
  imports = [
    (modulesPath + "/profiles/qemu-guest.nix")
    ../modules/common.nix
    ../modules/greeting.nix
    ../modules/website.nix
  ];

  nixpkgs.hostPlatform = "x86_64-linux";
  networking.hostName = "server";
  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
}
