# What NixOps and colmena add to a host for `deployment.keys`, under the same names, because configurations refer to them: a unit
# <name>-key.service for each key, active while the key's file exists; <name>-key.path, which starts it; and the activation
# script `script`, which sets the owner of each key again once the users of the new system exist.
script:
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (config.deployment) keys;
  names = builtins.attrNames keys;
  quoted = lib.escapeShellArg;
  forKeys =
    make: lib.listToAttrs (map (name: lib.nameValuePair "${name}-key" (make keys.${name})) names);
in
lib.mkIf (keys != { }) {
  systemd = {
    services = forKeys (key: {
      description = "The key ${key.name} is there";
      serviceConfig = {
        TimeoutStartSec = "infinity";
        Restart = "always";
        RestartSec = "1s";
      };
      # Polled, because a path unit does not notice that the file was removed.
      preStart = ''
        while [ ! -e ${quoted key.path} ]; do sleep 1; done
      '';
      script = ''
        while [ -e ${quoted key.path} ]; do sleep 5; done
      '';
    });
  }
  // lib.optionalAttrs (options ? systemd.paths) {
    paths = forKeys (key: {
      wantedBy = [ "paths.target" ];
      pathConfig.PathExists = key.path;
    });
  };
  system.activationScripts.${script} = {
    deps = builtins.filter (name: builtins.hasAttr name config.system.activationScripts) [
      "users"
      "groups"
    ];
    text = lib.concatMapStrings (
      name:
      let
        key = keys.${name};
      in
      ''
        if [ -f ${quoted key.path} ]; then chown ${quoted "${key.user}:${key.group}"} ${quoted key.path}; fi
      ''
    ) names;
  };
}
