# Generations of one machine, each of which differs from `first` in what its name says; NIXPKGS is the miniature.
{ nixpkgs, system }:
let
  generation =
    label: module:
    (import (nixpkgs + "/nixos") {
      inherit system;
      configuration =
        { lib, ... }:
        {
          imports = [ module ];
          system.nixos.label = label;
          networking.hostName = "web";
          networking.firewall.allowedTCPPorts = [ 80 ];
          environment.etc."app.conf".text = lib.mkDefault "one";
          systemd.services =
            let
              daemon = n: {
                wantedBy = [ "multi-user.target" ];
                script = lib.mkDefault "while :; do sleep ${toString n}; done";
              };
            in
            {
              app = daemon 11;
              quick = daemon 12 // {
                stopIfChanged = false;
              };
              session = daemon 13 // {
                restartIfChanged = false;
              };
              proxy = daemon 14 // {
                reload = "echo reloaded >> /run/proxy";
                reloadTriggers = lib.mkDefault [ "one" ];
              };
            };
        };
    }).system;
  loop = n: "while :; do sleep ${toString n}; done";
in
builtins.mapAttrs generation {
  first = { };
  changed = {
    networking.firewall.allowedTCPPorts = [ 443 ];
    environment.etc."app.conf".text = "two";
    systemd.services = {
      app.script = loop 21;
      quick.script = loop 22;
      session.script = loop 23;
      proxy.reloadTriggers = [ "two" ];
      extra = {
        wantedBy = [ "multi-user.target" ];
        script = loop 24;
      };
    };
  };
  failing.systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.Type = "oneshot";
    script = "exit 3";
  };
  activation.system.activationScripts.bad = "exit 7";
  refused.system.preSwitchChecks.never = "echo not today; false";
  reboot.system.initInterfaceVersion = 3;
  bootless =
    { pkgs, ... }:
    {
      boot.loader.external = {
        enable = true;
        installHook = pkgs.writeShellScript "full" "echo no space left on /boot >&2; exit 1";
      };
    };
}
