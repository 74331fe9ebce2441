{ ... }:
{
  imports = [ ../common.nix ];

  nixpkgs.hostPlatform = "aarch64-linux";
  networking.hostName = "pi";
  boot.loader.grub.enable = false;
  boot.loader.generic-extlinux-compatible.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/NIXOS_SD";
    fsType = "ext4";
  };
}
