# Systems of one machine, each of which differs from `one` in what its name says; NIXPKGS is the miniature.
{ nixpkgs, system }:
let
  generation =
    label: module:
    (import (nixpkgs + "/nixos") {
      inherit system;
      configuration = {
        imports = [ module ];
        system.nixos.label = label;
        networking.hostName = "web";
        networking.firewall.enable = false;
        boot.loader.systemd-boot.enable = true;
      };
    }).system;
  loop = n: "while :; do sleep ${toString n}; done";
  daemon = n: {
    wantedBy = [ "multi-user.target" ];
    script = loop n;
  };
  fails = {
    serviceConfig.Type = "oneshot";
    script = "exit 3";
  };
  tmpfs = options: {
    device = "tmpfs";
    fsType = "tmpfs";
    options = [
      "nofail"
      options
    ];
  };

  # `n` is what all units of it have in common, so that another number changes them all.
  units = n: {
    environment.etc."app.conf".text = toString n;
    fileSystems."/mnt/data" = tmpfs "size=${toString n}m";
    systemd = {
      services = {
        worker = daemon n;
        quick = daemon n // {
          stopIfChanged = false;
        };
        session = daemon n // {
          restartIfChanged = false;
        };
        reloader = daemon n // {
          reloadIfChanged = true;
          reload = "echo reloader >> /run/reloads";
        };
        proxy = daemon 1 // {
          reload = "echo proxy >> /run/reloads";
          reloadTriggers = [ n ];
        };
        "tmpl@".script = loop n;
        "tmpl@a" = {
          overrideStrategy = "asDropin";
          wantedBy = [ "multi-user.target" ];
        };
        sock.script = loop n;
        tick = {
          serviceConfig.Type = "oneshot";
          script = "true";
        };
      };
      sockets.sock = {
        wantedBy = [ "sockets.target" ];
        listenStreams = [ "/run/sock" ];
      };
      timers.tick = {
        wantedBy = [ "timers.target" ];
        timerConfig.OnBootSec = "${toString n}h";
      };
      mounts = [
        {
          what = "tmpfs";
          where = "/mnt/fs";
          type = "tmpfs";
          options = "size=${toString n}m";
          wantedBy = [ "multi-user.target" ];
        }
      ];
      user.services.upart = daemon n // {
        wantedBy = [ "default.target" ];
      };
    };
  };
  one = units 11 // {
    fileSystems = (units 11).fileSystems // {
      "/mnt/gone" = tmpfs "size=1m";
    };
    imports = [ { systemd.services.gone = daemon 1; } ];
  };
  # The units of `one`, but for those that `change` has.
  but =
    change:
    { lib, ... }:
    {
      imports = [
        one
        change
      ];
    };
  force = script: { lib, ... }: { systemd.services.worker.script = lib.mkForce script; };
  broken.systemd.services.broken = fails // {
    wantedBy = [ "multi-user.target" ];
  };
  failingSnippet.system.activationScripts.zbroken = ''
    echo "this snippet is wrong"
    false
  '';
  exits.system.activationScripts.aaa = ''
    echo "this snippet gives up"
    exit 9
  '';
  full =
    { pkgs, ... }:
    {
      boot.loader.external = {
        enable = true;
        installHook = pkgs.writeShellScript "full" "echo no space left on /boot >&2; exit 1";
      };
    };
  program = name: { system.switch.program = name; };
  slow.systemd.services.slowstop = daemon 1 // {
    preStop = "sleep 5";
  };
  both = a: b: {
    imports = [
      a
      b
    ];
  };
in
builtins.mapAttrs generation {
  inherit one;
  two = {
    imports = [ (units 22) ];
    systemd.services.extra = daemon 1;
  };
  failingUnit = but broken;
  failingChanged = but {
    imports = [ (force "") ];
    systemd.services.worker.serviceConfig.ExecStart = "/bin/no-such-program";
  };
  restarting = but {
    imports = [ (force "exit 1") ];
    systemd.services.worker.serviceConfig = {
      Restart = "always";
      RestartSec = 60;
    };
  };
  reloadFails = but (
    { lib, ... }:
    {
      systemd.services.proxy = {
        reloadTriggers = [ "more" ];
        reload = lib.mkForce "exit 1";
      };
    }
  );
  dependency = but {
    imports = [ (force (loop 2)) ];
    systemd.services.needed = fails;
    systemd.services.worker = {
      requires = [ "needed.service" ];
      after = [ "needed.service" ];
    };
  };
  userChanged = but ({ lib, ... }: { systemd.user.services.upart.script = lib.mkForce (loop 2); });
  userFails = but (
    { lib, ... }:
    {
      systemd.user.services.upart = {
        script = lib.mkForce "exit 1";
        serviceConfig.Type = "oneshot";
      };
    }
  );
  failingActivation = but failingSnippet;
  aborted = but exits;
  failingBoth = but (both broken failingSnippet);
  failingBootLoader = but full;
  reexec = but { systemd.settings.Manager.LogLevel = "info"; };
  asking = but {
    system.activationScripts.ask = ''
      echo worker.service > /run/nixos/activation-restart-list
      echo proxy.service > /run/nixos/activation-reload-list
    '';
  };
  refused = but {
    system.preSwitchChecks.never = "echo this system does not want to run here; false";
  };
  inhibitor = but { system.switch.inhibitors.dbus-implementation = "dbus"; };
  inhibited = but { system.switch.inhibitors.dbus-implementation = "broker"; };
  otherInit = but { system.initInterfaceVersion = 3; };
  badUnit = but (
    { lib, ... }:
    {
      environment.etc."systemd/system/tmpl@.service".source =
        lib.mkForce "${builtins.toFile "tmpl-.service" "[Unit]\n[Service\n"}";
    }
  );
  armed = but { environment.etc.armed.text = ""; };
  guarded = but {
    system.preSwitchChecks.guard = ''
      if [ -e /run/current-system/etc/armed ]; then
        echo "the guard does not want this now"
        exit 1
      fi
    '';
  };
  slow = but slow;
  older = but (program "2024");
  olderSlow = but (both slow (program "2024"));
  olderBootLoader = but (both full (program "2024"));
  perl = but (program "perl");
  perlRestarting = but {
    imports = [
      (program "perl")
      (force "exit 1")
    ];
    systemd.services.worker.serviceConfig = {
      Restart = "always";
      RestartSec = 60;
    };
  };
}
