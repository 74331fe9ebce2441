# Two systems that boot by the loader CASES, a file of JSON, and have a unit and a file that tell which of them runs.
{
  nixpkgs,
  system,
  cases,
}:
let
  loader = builtins.fromJSON (builtins.readFile cases);
  nixos =
    label:
    (import (nixpkgs + "/nixos") {
      inherit system;
      configuration = {
        boot.loader.${loader}.enable = true;
        networking.firewall.enable = false;
        system.nixos.label = label;
        environment.etc.label.text = label;
        systemd.services.worker = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig.ExecStart = "/bin/sleep infinity";
          environment.LABEL = label;
        };
      };
    }).system;
in
{
  one = nixos "one";
  two = nixos "two";
}
