{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  snippet = types.either types.str (
    types.submodule {
      options = {
        text = mkOption {
          type = types.lines;
          default = "";
        };
        deps = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        supportsDryActivation = mkOption {
          type = types.bool;
          default = false;
        };
      };
    }
  );
  normal = builtins.mapAttrs (
    _: s:
    if builtins.isString s then
      {
        text = s;
        deps = [ ];
        supportsDryActivation = false;
      }
    else
      s
  );
  # Dependencies come first; otherwise sorted by name.
  ordered =
    snippets:
    let
      visit =
        seen: name:
        if builtins.elem name seen then
          seen
        else
          builtins.foldl' visit seen (
            snippets.${name}.deps
              or (throw "The activation script `${name}' that another one depends on does not exist.")
          )
          ++ [ name ];
    in
    builtins.foldl' visit [ ] (builtins.attrNames snippets);
  # As in NixOS, the snippets share one bash: a command that fails does not end its snippet, `exit` ends all of them. It is
  # the machine's bash, since busybox's shell has no ERR trap.
  script =
    verb: snippets: end:
    pkgs.writeScript verb ''
      #!/bin/bash
      ${lib.optionalString (verb != "user-activation") "systemConfig=@out@"}
      export PATH=${lib.makeBinPath [ pkgs.coreutils ]}
      _status=0
      trap '_localstatus=$? _status=1' ERR
      umask 0022
      ${lib.concatMapStrings (name: ''
        #### Activation script snippet ${name}:
        _localstatus=0
        ${snippets.${name}.text}
        if [ "$_localstatus" != 0 ]; then
          printf "Activation script snippet '%s' failed (%s)\n" ${lib.escapeShellArg name} "$_localstatus"
        fi
      '') (ordered snippets)}
      ${end}
      exit $_status
    '';
  snippets = normal config.system.activationScripts;
  # What must not change while the system runs: an object of JSON, one name on a line.
  inhibitors = pkgs.writeText "switch-inhibitors" (
    "{\n"
    + lib.concatStringsSep ",\n" (
      lib.mapAttrsToList (
        name: value: "  ${builtins.toJSON name}: ${builtins.toJSON value}"
      ) config.system.switch.inhibitors
    )
    + "\n}\n"
  );
in
{
  options.system = {
    activationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
      description = "Snippets that `activate` runs in the order of their dependencies; if one fails, the switch exits with 2.";
    };
    userActivationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
      description = "Run by the unit `nixos-activation` of each user who is logged in.";
    };
    preSwitchChecks = mkOption {
      type = types.attrsOf types.lines;
      default = { };
      description = "Called with the new toplevel and the verb before anything changes; if one fails, nothing is switched.";
    };
    initInterfaceVersion = mkOption {
      type = types.int;
      default = 2;
      description = "If it differs from the running system's, a switch exits with 100 and asks for a reboot.";
    };
    switch = {
      inhibitors = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "If one of these differs from the running system's, the new system can only be activated by a reboot.";
      };
      program = mkOption {
        type = types.enum [
          "newest"
          "2024"
          "perl"
        ];
        default = "newest";
        description = ''
          Which switch-to-configuration is imitated: the newest, the first one in Rust (September 2024), or the one in
          Perl (NixOS 17.09). They differ in their exit codes, in what they do about the lock, and without D-Bus.
        '';
      };
    };
  };

  config.system = {
    activationScripts.etc.text = ''
      echo "setting up /etc..."
      ${pkgs.runtimeShell} ${./setup-etc.sh} ${config.system.build.etc}/etc
    '';
    build.activate = script "activate" snippets ''
      # Only now is it the current system, as in NixOS.
      ln -sfn "$(readlink -f "$systemConfig")" /run/.current-system && mv -T /run/.current-system /run/current-system
    '';
    build.dryActivate = script "dry-activate" (lib.filterAttrs (
      _: s: s.supportsDryActivation
    ) snippets) "";
    systemBuilderCommands = "ln -s ${inhibitors} $out/switch-inhibitors";
    preSwitchChecks = lib.mkIf (config.system.switch.inhibitors != { }) {
      switchInhibitors = "${pkgs.runtimeShell} ${./check-inhibitors.sh} \"$1\" \"$2\"";
    };
    build.preSwitchCheck = pkgs.writeScript "pre-switch-check" (
      "#!${pkgs.runtimeShell}\nset -eu\nexport PATH=${lib.makeBinPath [ pkgs.coreutils ]}\n"
      + lib.concatStrings (
        lib.mapAttrsToList (name: text: ''
          # ${name}
          if ! (
          ${text}
          ); then
            echo "Pre-switch check '${name}' failed"
            exit 1
          fi
        '') config.system.preSwitchChecks
      )
    );
  };
  config.systemd.user.services.nixos-activation = {
    description = "Run user specific NixOS activation";
    unitConfig.ConditionUser = "!@system";
    serviceConfig.Type = "oneshot";
    serviceConfig.ExecStart = toString (
      script "user-activation" (normal config.system.userActivationScripts) ""
    );
  };
}
