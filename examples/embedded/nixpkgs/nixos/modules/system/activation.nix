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
  snippets = builtins.mapAttrs (
    _: s:
    if builtins.isString s then
      {
        text = s;
        deps = [ ];
        supportsDryActivation = false;
      }
    else
      s
  ) config.system.activationScripts;
  # What others depend on comes first; otherwise by name.
  ordered =
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
      closed = builtins.foldl' visit [ ] (builtins.attrNames snippets);
    in
    closed;
  script =
    verb: names:
    pkgs.writeScript verb ''
      #!${pkgs.runtimeShell}
      systemConfig=@out@
      export PATH=${lib.makeBinPath [ pkgs.coreutils ]}
      _status=0
      ${lib.concatMapStrings (name: ''
        #### Activation script snippet ${name}:
        (set -e
        ${snippets.${name}.text}
        )
        _localstatus=$?
        if [ $_localstatus -gt 0 ]; then
          printf "Activation script snippet '%s' failed (%s)\n" ${lib.escapeShellArg name} "$_localstatus" >&2
          _status=$_localstatus
        fi
      '') names}
      ${lib.optionalString (verb == "activate") ''
        # Only now is it the current system, as in NixOS.
        ln -sfn "$(readlink -f "$systemConfig")" /run/.current-system && mv -T /run/.current-system /run/current-system
      ''}
      exit $_status
    '';
in
{
  options.system = {
    activationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
      description = "Run, in the order of their dependencies, by `activate`; one that fails makes the switch exit with 2.";
    };
    userActivationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
    };
    preSwitchChecks = mkOption {
      type = types.attrsOf types.lines;
      default = { };
      description = "Called with the new toplevel and the verb before anything changes; one that fails refuses the switch.";
    };
    initInterfaceVersion = mkOption {
      type = types.int;
      default = 2;
      description = "Where it differs from the running system's, a switch exits with 100 and asks for a reboot.";
    };
  };

  config.system = {
    activationScripts.etc.text = ''
      echo "setting up /etc..."
      ${pkgs.runtimeShell} ${./setup-etc.sh} ${config.system.build.etc}/etc
    '';
    build.activate = script "activate" ordered;
    build.dryActivate = script "dry-activate" (
      builtins.filter (name: snippets.${name}.supportsDryActivation) ordered
    );
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
}
