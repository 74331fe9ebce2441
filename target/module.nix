# A NixOS module for machines that Nix Ferry deploys to. Deployments work without it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.nix-ferry;

  # The activation script as it is sent to a target: main.sh, which calls the others, is the last.
  parts = builtins.filter (name: name != "main.sh") (
    builtins.attrNames (builtins.readDir ./activation)
  );
  script = pkgs.writeText "nix-ferry-activation" (
    lib.concatMapStrings (name: builtins.readFile (./activation + "/${name}")) (parts ++ [ "main.sh" ])
  );
in
{
  imports = [ ./gate.nix ];

  options.services.nix-ferry = {
    settle.enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = ''
        Whether to settle, when the machine starts, an activation that a loss of power has cut: its record is completed if
        only that was missing; otherwise profile, boot loader and secrets are taken back. Without this, the next deployment
        does it.
      '';
    };
  };

  config = {
    systemd.services.nix-ferry-settle = lib.mkIf cfg.settle.enable {
      description = "Settle an activation of Nix Ferry that was cut";
      wantedBy = [ "multi-user.target" ];
      # It may call switch-to-configuration, which must not wait for a boot that waits for it.
      after = [ "multi-user.target" ];
      unitConfig.ConditionPathExists = [
        "|/var/lib/nix-ferry/activating.json"
        # Secrets that were being replaced without an activation.
        "|/var/lib/nix-ferry/activating.secrets"
        # This directory exists from the first deployment after the start on, which settles the record itself.
        "!/run/nix-ferry"
      ];
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${pkgs.runtimeShell} ${script} settle";
      };
    };
  };
}
