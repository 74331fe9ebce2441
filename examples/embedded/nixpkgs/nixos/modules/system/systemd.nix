# Units: services, timers, sockets and targets, written as systemd reads them, each in a store path of its own.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption optionalAttrs types;
  cfg = config.systemd;

  value = types.oneOf [
    types.bool
    types.int
    types.str
    types.path
    types.package
  ];
  section = mkOption {
    type = types.attrsOf (types.either value (types.listOf value));
    default = { };
  };
  names = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  script = mkOption {
    type = types.lines;
    default = "";
  };

  common = {
    enable = flag true;
    description = mkOption {
      type = types.str;
      default = "";
    };
    wantedBy = names;
    requiredBy = names;
    wants = names;
    requires = names;
    bindsTo = names;
    partOf = names;
    conflicts = names;
    after = names;
    before = names;
    unitConfig = section;
    restartTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
    reloadTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
  };
  service = {
    serviceConfig = section;
    environment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
            types.int
          ]
        )
      );
      default = { };
    };
    path = mkOption {
      type = types.listOf (types.either types.package types.str);
      default = [ ];
    };
    script = script;
    preStart = script;
    postStart = script;
    preStop = script;
    postStop = script;
    reload = script;
    restartIfChanged = flag true;
    reloadIfChanged = flag false;
    stopIfChanged = flag true;
    startAt = mkOption {
      type = types.either types.str (types.listOf types.str);
      default = [ ];
      apply = lib.toList;
    };
  };
  kindOf =
    extra:
    mkOption {
      type = types.attrsOf (types.submodule { options = common // extra; });
      default = { };
    };

  show = v: if builtins.isBool v then lib.boolToString v else toString v;
  lines =
    name: attrs:
    let
      rows = lib.concatLists (
        lib.mapAttrsToList (key: v: map (one: "${key}=${show one}\n") (lib.toList v)) (
          lib.filterAttrs (_: v: v != [ ] && v != "") attrs
        )
      );
    in
    lib.optionalString (rows != [ ]) "[${name}]\n${lib.concatStrings rows}\n";

  unitSection =
    u:
    {
      Description = u.description;
      Wants = toString u.wants;
      Requires = toString u.requires;
      BindsTo = toString u.bindsTo;
      PartOf = toString u.partOf;
      Conflicts = toString u.conflicts;
      After = toString u.after;
      Before = toString u.before;
      X-Restart-Triggers = toString u.restartTriggers;
      X-Reload-Triggers = toString u.reloadTriggers;
    }
    // optionalAttrs (u ? reloadIfChanged && u.reloadIfChanged) { X-ReloadIfChanged = true; }
    // optionalAttrs (u ? restartIfChanged && !u.restartIfChanged) { X-RestartIfChanged = false; }
    // optionalAttrs (u ? stopIfChanged && !u.stopIfChanged) { X-StopIfChanged = false; }
    // u.unitConfig;

  serviceSection =
    name: s:
    let
      exec =
        key: phase: text:
        optionalAttrs (text != "") {
          ${key} = toString (
            pkgs.writeScript "unit-script-${name}-${phase}" "#!${pkgs.runtimeShell}\nset -e\n${text}\n"
          );
        };
      environment = {
        PATH = "${lib.makeBinPath (s.path ++ [ pkgs.coreutils ])}:/run/current-system/sw/bin";
      }
      // lib.filterAttrs (_: v: v != null) s.environment;
    in
    {
      Environment = lib.mapAttrsToList (key: v: "\"${key}=${toString v}\"") environment;
    }
    // exec "ExecStart" "start" s.script
    // exec "ExecStartPre" "pre-start" s.preStart
    // exec "ExecStartPost" "post-start" s.postStart
    // exec "ExecReload" "reload" s.reload
    // exec "ExecStop" "pre-stop" s.preStop
    // exec "ExecStopPost" "post-stop" s.postStop
    // s.serviceConfig;

  texts =
    lib.mapAttrs' (
      name: s:
      lib.nameValuePair "${name}.service" {
        unit = s;
        text = lines "Unit" (unitSection s) + lines "Service" (serviceSection name s);
      }
    ) cfg.services
    // lib.mapAttrs' (
      name: t:
      lib.nameValuePair "${name}.timer" {
        unit = t;
        text = lines "Unit" (unitSection t) + lines "Timer" t.timerConfig;
      }
    ) cfg.timers
    // lib.mapAttrs' (
      name: s:
      lib.nameValuePair "${name}.socket" {
        unit = s;
        text =
          lines "Unit" (unitSection s)
          + lines "Socket" ({ ListenStream = s.listenStreams; } // s.socketConfig);
      }
    ) cfg.sockets
    // lib.mapAttrs' (
      name: t:
      lib.nameValuePair "${name}.target" {
        unit = t;
        text = lines "Unit" (unitSection t);
      }
    ) cfg.targets;

  units = lib.filterAttrs (_: u: u.unit.enable) texts;
in
{
  options.systemd = {
    services = kindOf service;
    timers = kindOf { timerConfig = section; };
    sockets = kindOf {
      socketConfig = section;
      listenStreams = names;
    };
    targets = kindOf { };
    tmpfiles.rules = names;
    package = mkOption {
      type = types.raw;
      default = null;
      description = "A stand-in machine keeps its own systemd.";
    };
  };

  config = {
    systemd.timers = lib.mapAttrs (_: s: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = s.startAt;
    }) (lib.filterAttrs (_: s: s.startAt != [ ]) cfg.services);

    environment.etc = lib.mkMerge [
      (lib.mapAttrs' (
        name: u:
        lib.nameValuePair "systemd/system/${name}" {
          source = "${pkgs.writeTextDir name u.text}/${name}";
        }
      ) units)
      (lib.listToAttrs (
        lib.concatMap (
          name:
          let
            u = units.${name}.unit;
            link =
              suffix: target:
              lib.nameValuePair "systemd/system/${target}.${suffix}/${name}" { source = "../${name}"; };
          in
          map (link "wants") u.wantedBy ++ map (link "requires") u.requiredBy
        ) (builtins.attrNames units)
      ))
    ];
  };
}
