# The configuration that all hosts share.
{ pkgs, ... }:
{
  time.timeZone = "Europe/Berlin";
  environment.systemPackages = [ pkgs.hello ];
  services.openssh.enable = true;
  users.users.deploy = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    # The public key of the deploy key.
    openssh.authorizedKeys.keys = [ ];
  };
  security.sudo.wheelNeedsPassword = false;
  nix.settings.trusted-users = [ "deploy" ];
  system.stateVersion = "25.05";
}
