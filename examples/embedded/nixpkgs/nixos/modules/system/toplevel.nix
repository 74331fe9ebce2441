{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  failed = map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions);
  checked =
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatStringsSep "\n" (map (message: "- ${message}") failed)}"
    else
      lib.showWarnings config.warnings;
  inherit (config.system) build;
in
{
  options.system = {
    extraDependencies = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Store paths that are added to the closure although nothing else refers to them.";
    };
    systemBuilderCommands = mkOption {
      type = types.lines;
      default = "";
      internal = true;
    };
  };
  options.specialisation = mkOption {
    type = types.attrsOf types.raw;
    default = { };
  };

  config.system.build.toplevel = checked (
    pkgs.runCommand "nixos-system-${config.system.name}-${config.system.nixos.label}"
      {
        inherit (build)
          activate
          dryActivate
          etc
          installBootLoader
          preSwitchCheck
          ;
        inherit (config.system) extraDependencies path;
        kernel = config.boot.kernelPackages.kernel;
        kernelParams = toString config.boot.kernelParams;
        version = config.system.nixos.version;
        label = config.system.nixos.label;
        platform = pkgs.stdenv.hostPlatform.system;
        interface = "systemd ${toString config.system.initInterfaceVersion}";
        shell = pkgs.runtimeShell;
        tools = lib.makeBinPath [ pkgs.coreutils ];
        switch = ./switch;
        inherit (config.system.switch) program;
      }
      ''
        mkdir -p $out/bin $out/specialisation
        ln -s $etc/etc $out/etc
        ln -s $path $out/sw
        ln -s $kernel/* $out/kernel
        printf %s "$kernelParams" > $out/kernel-params
        printf %s "$version" > $out/nixos-version
        printf %s "$platform" > $out/system
        printf %s "$label" > $out/configuration-name
        printf %s "$interface" > $out/init-interface-version
        printf %s "$extraDependencies" > $out/extra-dependencies
        sed "s|@out@|$out|" $activate > $out/activate
        sed "s|@out@|$out|" $dryActivate > $out/dry-activate
        sed -e "s|@shell@|$shell|" -e "s|@tools@|$tools|" -e "s|@out@|$out|" ${./init.sh} > $out/init
        sed -e "s|@shell@|$shell|" -e "s|@tools@|$tools|" -e "s|@out@|$out|" -e "s|@installBootLoader@|$installBootLoader|" \
          -e "s|@preSwitchCheck@|$preSwitchCheck|" -e "s|@library@|$switch|" -e "s|@program@|$program|" \
          $switch/switch-to-configuration.sh > $out/bin/switch-to-configuration
        chmod +x $out/activate $out/dry-activate $out/init $out/bin/switch-to-configuration
        ${config.system.systemBuilderCommands}
      ''
  );
}
