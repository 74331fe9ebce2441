# The systems that the tests of the deploy stage switch a target between: each goes well or wrong in its own way.
{
  nixpkgs,
  system ? "x86_64-linux",
}:
let
  nixos =
    configuration:
    (import (nixpkgs + "/nixos") {
      inherit system;
      configuration = {
        imports = [
          base
          configuration
        ];
      };
    }).system;
  base =
    { lib, ... }:
    {
      networking.hostName = "web";
      boot.loader.systemd-boot.enable = lib.mkDefault true;
      systemd.services.worker = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "/bin/sleep infinity";
        environment.GENERATION = lib.mkDefault "one";
      };
    };
in
{
  one = nixos { };
  two = nixos { systemd.services.worker.environment.GENERATION = "two"; };
  failingUnit = nixos {
    systemd.services.broken = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "/bin/false";
      };
    };
  };
  refused = nixos {
    system.preSwitchChecks.never = ''
      echo "this system does not want to run here"
      exit 1
    '';
  };
  failingActivation = nixos {
    systemd.services.worker.environment.GENERATION = "failing";
    system.activationScripts.broken.text = "echo broken; exit 1";
  };
  otherInit = nixos { system.initInterfaceVersion = 3; };
  failingBootLoader = nixos (
    { pkgs, ... }:
    {
      boot.loader.systemd-boot.enable = false;
      boot.loader.external = {
        enable = true;
        installHook = pkgs.writeShellScript "install-nothing" ''
          echo "no space left on /boot"
          exit 1
        '';
      };
    }
  );
  slow = nixos {
    systemd.services.worker.environment.GENERATION = "slow";
    system.activationScripts.slow.text = "echo begun; sleep 6";
  };
  slower = nixos {
    systemd.services.worker.environment.GENERATION = "slower";
    system.activationScripts.slow.text = "echo begun; sleep 60";
  };
}
