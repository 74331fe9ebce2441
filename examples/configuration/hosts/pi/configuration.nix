{ ... }:
{
  imports = [
    ./hardware-configuration.nix
    ../../common.nix
  ];

  networking.hostName = "pi";
  boot.loader.grub.enable = false;
  boot.loader.generic-extlinux-compatible.enable = true;
}
