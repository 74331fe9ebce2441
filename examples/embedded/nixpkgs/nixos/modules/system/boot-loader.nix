# The boot loader of a simulated machine: the files in /boot that systemd-boot, GRUB or U-Boot would read, and the commands
# that choose the entry of the next boot. The loaders themselves are not included.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.boot.loader;
  loader = lib.findFirst (name: cfg.${name}.enable) "none" [
    "systemd-boot"
    "generic-extlinux-compatible"
    "grub"
  ];
in
{
  options = {
    boot.loader = {
      timeout = mkOption {
        type = types.nullOr types.int;
        default = 5;
      };
      grub = mkOption {
        default = { };
        type = types.submodule {
          freeformType = types.anything;
          options.enable = mkOption {
            type = types.bool;
            default =
              !(cfg.systemd-boot.enable || cfg.generic-extlinux-compatible.enable || cfg.external.enable);
          };
        };
      };
      systemd-boot = mkOption {
        default = { };
        type = types.submodule {
          freeformType = types.anything;
          options.enable = lib.mkEnableOption "systemd-boot";
        };
      };
      generic-extlinux-compatible = mkOption {
        default = { };
        type = types.submodule {
          freeformType = types.anything;
          options.enable = lib.mkEnableOption "extlinux.conf, as U-Boot reads it";
        };
      };
      raspberryPi = mkOption {
        type = types.submodule { freeformType = types.anything; };
        default = { };
      };
      efi = mkOption {
        type = types.submodule { freeformType = types.anything; };
        default = { };
      };
      external = {
        enable = lib.mkEnableOption "a boot loader's own installer";
        installHook = mkOption {
          type = types.path;
          description = "Called with the toplevel that becomes the default.";
        };
      };
    };
    system.build = mkOption {
      type = types.submodule { freeformType = types.lazyAttrsOf types.raw; };
      default = { };
      description = "The derivations that this configuration can build.";
    };
  };

  config.environment.systemPackages =
    lib.optional cfg.systemd-boot.enable (
      pkgs.writeShellScriptBin "bootctl" (builtins.readFile ./bootctl.sh)
    )
    ++ lib.optionals cfg.grub.enable [
      (pkgs.writeShellScriptBin "grub-reboot" (builtins.readFile ./grub-reboot.sh))
      (pkgs.writeShellScriptBin "grub-editenv" (builtins.readFile ./grub-editenv.sh))
    ];
  config.system.build.installBootLoader =
    if cfg.external.enable then
      cfg.external.installHook
    else
      # Named as in NixOS.
      pkgs.runCommand
        {
          systemd-boot = "install-systemd-boot.sh";
          generic-extlinux-compatible = "install-extlinux-conf.sh";
          grub = "install-grub.sh";
          none = "install-no-boot-loader.sh";
        }
        .${loader}
        {
          inherit loader;
          shell = pkgs.runtimeShell;
          path = lib.makeBinPath [ pkgs.coreutils ];
          timeout = toString cfg.timeout;
        }
        ''
          sed -e "s|@shell@|$shell|" -e "s|@path@|$path|" -e "s|@loader@|$loader|" -e "s|@timeout@|$timeout|" \
            ${./install-boot-loader.sh} > $out
          chmod +x $out
        '';
}
