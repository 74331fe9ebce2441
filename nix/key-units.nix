# A unit <name>-key.service for each of `deployment.keys`, active while the key's file exists. Networks of NixOps and hives of
# colmena name it in `after` and `requires`.
{ config, lib, ... }:
lib.mkIf (config.deployment.keys != { }) {
  systemd.services = lib.listToAttrs (
    map (
      name:
      lib.nameValuePair "${name}-key" {
        description = "The key ${name} is there";
        serviceConfig = {
          TimeoutStartSec = "infinity";
          Restart = "always";
          RestartSec = "1s";
        };
        # Polled, because a path unit does not notice that the file was removed.
        preStart = ''
          while [ ! -e ${lib.escapeShellArg config.deployment.keys.${name}.path} ]; do sleep 1; done
        '';
        script = ''
          while [ -e ${lib.escapeShellArg config.deployment.keys.${name}.path} ]; do sleep 5; done
        '';
      }
    ) (builtins.attrNames config.deployment.keys)
  );
}
