# The configuration that all hosts share.
{ lib, pkgs, ... }:
{
  time.timeZone = lib.mkDefault "Europe/Berlin";
  environment.systemPackages = [ pkgs.hello ];
  services.openssh.enable = true;
  users.users.operator = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
  };
  system.stateVersion = "24.11";
}
