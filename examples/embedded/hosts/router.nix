{ modulesPath, ... }:
{
  imports = [
    (modulesPath + "/installer/sd-card/sd-image-aarch64.nix")
    ../modules/common.nix
    ../modules/greeting.nix
  ];

  nixpkgs.hostPlatform = "aarch64-linux";
  networking.hostName = "router";
  networking.firewall.allowedUDPPorts = [
    53
    67
  ];
  boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
}
