# What every machine of the fleet has.
{ pkgs, ... }:
{
  time.timeZone = "Europe/Berlin";
  environment.systemPackages = [ pkgs.hello ];
  services.openssh.enable = true;
  users.users.deploy = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    # The public half of the deploy key.
    openssh.authorizedKeys.keys = [ ];
  };
  security.sudo.wheelNeedsPassword = false;
  nix.settings.trusted-users = [ "deploy" ];
  system.stateVersion = "25.05";
}
