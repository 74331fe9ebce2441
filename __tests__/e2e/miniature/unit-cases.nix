# Two systems that differ in unit files alone: CASES is a file of JSON with `before` and `after`, each a set of files in
# etc/systemd/system, null for one that is a link to /dev/null.
{
  nixpkgs,
  system,
  cases,
}:
builtins.mapAttrs (
  label: files:
  (import (nixpkgs + "/nixos") {
    inherit system;
    configuration =
      { lib, ... }:
      {
        system.nixos.label = label;
        networking.firewall.enable = false;
        environment.etc = lib.mapAttrs' (
          name: text:
          lib.nameValuePair "systemd/system/${name}" (
            if text == null then { source = "/dev/null"; } else { inherit text; }
          )
        ) files;
      };
  }).system
) (builtins.fromJSON (builtins.readFile cases))
