# Two systems for the tests of the activation: `one`, which a machine runs, and `two`, which it gets. What goes wrong is
# decided on the machine: /run/gate/NAME-STEP holds `hold` (the step waits as long as it does) or `fail`.
#
# The steps of a system are `check` (pre-switch check), `activation` (a snippet, after /etc), `dry` (one that dry-activate
# runs too), `boot-before` and `boot-after` (the boot loader's installer, before and after it has written), `start` (the
# worker). Their disk can hang
# too: `sync` of the records waits while /run/gate/disk names the phase in the open record; and so can systemd:
# `systemctl list-units` waits while /run/gate/look is there.
{
  nixpkgs,
  system ? "x86_64-linux",
}:
let
  nixos =
    configuration:
    import (nixpkgs + "/nixos") {
      inherit system;
      configuration = {
        imports = [
          base
          configuration
        ];
      };
    };
  base =
    { lib, ... }:
    {
      networking.hostName = "web";
      boot.loader.systemd-boot.enable = true;
      systemd.services.worker = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "/bin/sleep infinity";
        environment.GENERATION = lib.mkDefault "one";
      };
    };
  loader = (nixos { }).config.system.build.installBootLoader;
  gate = name: step: ''
    while [ "$(cat /run/gate/${name}-${step} 2> /dev/null)" = hold ]; do
      : > /run/gate/at-${name}-${step}
      sleep 0.1
    done
    if [ "$(cat /run/gate/${name}-${step} 2> /dev/null)" = fail ]; then
      echo "${name} fails at ${step}"
      false
    fi
  '';
  gated =
    name: configuration:
    (nixos (
      { lib, pkgs, ... }:
      {
        imports = [ configuration ];
        system.name = name;
        systemd.services.worker = {
          environment.GENERATION = name;
          serviceConfig.ExecStartPre = pkgs.writeShellScript "may-start" ''
            set -e
            ${gate name "start"}
          '';
        };
        system.preSwitchChecks.gate = gate name "check";
        system.activationScripts.gate = {
          deps = [ "etc" ];
          text = gate name "activation";
        };
        # Runs in dry-activate too.
        system.activationScripts.dry = {
          supportsDryActivation = true;
          text = gate name "dry";
        };
        boot.loader.systemd-boot.enable = lib.mkForce false;
        boot.loader.external = {
          enable = true;
          installHook = pkgs.writeShellScript "install-gated" ''
            set -e
            PATH=${lib.makeBinPath [ pkgs.coreutils ]}
            ${gate name "boot-before"}
            ${loader} "$1"
            ${gate name "boot-after"}
          '';
        };
        environment.systemPackages = lib.mkForce [
          (pkgs.writeShellScriptBin "sync" ''
            /usr/bin/sync "$@" || exit
            case $* in
            /var/lib/nix-ferry)
              phase=$(sed -n 's/^ "phase": "\(.*\)",$/\1/p' /var/lib/nix-ferry/activating.json)
              while [ -n "$phase" ] && [ "$(cat /run/gate/disk 2> /dev/null)" = "$phase" ]; do
                : > /run/gate/at-disk
                sleep 0.1
              done
              ;;
            esac
          '')
          (pkgs.writeShellScriptBin "systemctl" ''
            case $* in
            list-units*)
              while [ -e /run/gate/look ]; do
                : > /run/gate/at-look
                sleep 0.1
              done
              ;;
            esac
            exec /usr/bin/systemctl "$@"
          '')
          pkgs.busybox
        ];
      }
    )).system;
in
{
  one = gated "one" { };
  two = gated "two" { };
  reinit = gated "reinit" { system.initInterfaceVersion = 3; };
}
