# Units: services, timers, sockets, mounts and targets of the system, and services of users, each written to its own store
# path in systemd's format.
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
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropinIfExists"
        "asDropin"
      ];
      default = "asDropinIfExists";
      description = "`asDropin`: the unit is an instance of a template, and these settings are added to it.";
    };
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
    notSocketActivated = flag false;
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
    // u.unitConfig;

  serviceSection =
    name: s:
    let
      exec =
        key: phase: text:
        optionalAttrs (text != "") {
          ${key} = toString (
            pkgs.writeScript "unit-script-${pathSafe name}-${phase}" "#!${pkgs.runtimeShell}\nset -e\n${text}\n"
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
    // optionalAttrs s.reloadIfChanged { X-ReloadIfChanged = true; }
    // optionalAttrs (!s.restartIfChanged) { X-RestartIfChanged = false; }
    // optionalAttrs (!s.stopIfChanged) { X-StopIfChanged = false; }
    // optionalAttrs s.notSocketActivated { X-NotSocketActivated = true; }
    // exec "ExecStart" "start" s.script
    // exec "ExecStartPre" "pre-start" s.preStart
    // exec "ExecStartPost" "post-start" s.postStart
    // exec "ExecReload" "reload" s.reload
    // exec "ExecStop" "pre-stop" s.preStop
    // exec "ExecStopPost" "post-stop" s.postStop
    // s.serviceConfig;

  # A unit's name may contain characters that a store path may not.
  pathSafe = builtins.replaceStrings [ "@" "\\" ] [ "-" "-" ];
  # The result of systemd-escape, for the usual characters.
  mountName =
    path: "${builtins.replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (lib.removePrefix "/" path)}.mount";

  # kind TYPE SECTIONS: the units of one type, by file name; SECTIONS are those after [Unit].
  kind =
    type: sections:
    lib.mapAttrs' (
      name: unit:
      lib.nameValuePair "${name}.${type}" {
        inherit unit;
        text = lines "Unit" (unitSection unit) + sections name unit;
      }
    );
  service' = kind "service" (name: s: lines "Service" (serviceSection name s));
  system =
    service' cfg.services
    // kind "timer" (_: t: lines "Timer" t.timerConfig) cfg.timers
    // kind "socket" (
      _: s: lines "Socket" ({ ListenStream = s.listenStreams; } // s.socketConfig)
    ) cfg.sockets
    // kind "target" (_: _: "") cfg.targets
    // lib.listToAttrs (
      map (
        m:
        lib.nameValuePair (mountName m.where) {
          unit = m;
          text =
            lines "Unit" (unitSection m)
            + lines "Mount" {
              What = m.what;
              Where = m.where;
              Type = m.type;
              Options = m.options;
            };
        }
      ) cfg.mounts
    );

  # The files of /etc that make up `units`, below DIRECTORY.
  files =
    directory: units:
    let
      enabled = lib.filterAttrs (_: u: u.unit.enable) units;
      fileOf =
        name: u: if u.unit.overrideStrategy == "asDropin" then "${name}.d/overrides.conf" else name;
      link =
        name: suffix: target:
        lib.nameValuePair "${directory}/${target}.${suffix}/${name}" {
          source = "../${
            if enabled.${name}.unit.overrideStrategy == "asDropin" then templateOf name else name
          }";
        };
    in
    lib.mapAttrs' (
      name: u:
      lib.nameValuePair "${directory}/${fileOf name u}" {
        source = "${
          pkgs.writeTextFile {
            name = pathSafe name;
            inherit (u) text;
            destination = "/${name}";
          }
        }/${name}";
      }
    ) enabled
    // lib.listToAttrs (
      lib.concatMap (
        name:
        map (link name "wants") enabled.${name}.unit.wantedBy
        ++ map (link name "requires") enabled.${name}.unit.requiredBy
      ) (builtins.attrNames enabled)
    );
  # tmpl@a.service: tmpl@.service
  templateOf =
    name:
    let
      parts = builtins.match "([^@]*@).*(\\.[a-z]*)" name;
    in
    builtins.concatStringsSep "" parts;
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
    mounts = mkOption {
      type = types.listOf (
        types.submodule {
          options = common // {
            what = mkOption { type = types.str; };
            where = mkOption { type = types.str; };
            type = mkOption {
              type = types.str;
              default = "";
            };
            options = mkOption {
              type = types.str;
              default = "";
            };
          };
        }
      );
      default = [ ];
    };
    user.services = kindOf service;
    tmpfiles.rules = names;
    settings.Manager = mkOption {
      type = types.attrsOf value;
      default = { };
      description = "Settings of systemd itself, in system.conf; a change restarts it.";
    };
    package = mkOption {
      type = types.raw;
      default = null;
      description = "Accepted but not used: a simulated machine keeps its own systemd.";
    };
  };

  config = {
    systemd.timers = lib.mapAttrs (_: s: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = s.startAt;
    }) (lib.filterAttrs (_: s: s.startAt != [ ]) cfg.services);

    # The system's targets are units of the generation, as in NixOS: switch-to-configuration starts those that are active
    # again, which starts the units that they newly want.
    systemd.targets = {
      multi-user = {
        description = "Multi-User System";
        requires = [ "basic.target" ];
        conflicts = [
          "rescue.service"
          "rescue.target"
        ];
        after = [
          "basic.target"
          "rescue.service"
          "rescue.target"
        ];
        unitConfig.AllowIsolate = true;
      };
      timers = {
        description = "Timer Units";
        conflicts = [ "shutdown.target" ];
        unitConfig.DefaultDependencies = false;
      };
      sockets.description = "Socket Units";
      local-fs = {
        description = "Local File Systems";
        conflicts = [ "shutdown.target" ];
        after = [ "local-fs-pre.target" ];
        unitConfig.DefaultDependencies = false;
      };
      sysinit-reactivation.description = "Reactivate sysinit units";
    };

    environment.etc = lib.mkMerge [
      (files "systemd/system" system)
      (files "systemd/user" (service' cfg.user.services))
      (lib.mkIf (cfg.settings.Manager != { }) {
        "systemd/system.conf".text = lines "Manager" cfg.settings.Manager;
      })
    ];
  };
}
