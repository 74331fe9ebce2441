# The configuration that all machines of the fleet share.
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
