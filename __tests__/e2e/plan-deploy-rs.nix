{
  description = "Packages in the form of deploy-rs' activate.nixos, without deploy-rs' program";

  inputs.nixpkgs.url = "nixpkgs";

  outputs = { nixpkgs, ... }: {
    lib = builtins.mapAttrs (_: pkgs: {
      activate.nixos =
        base:
        let
          toplevel = base.config.system.build.toplevel;
        in
        pkgs.buildEnv {
          name = "activatable-${toplevel.name}";
          paths = [
            toplevel
            (pkgs.writeTextFile {
              name = "${toplevel.name}-activate-path";
              text = "$PROFILE/bin/switch-to-configuration switch";
              executable = true;
              destination = "/deploy-rs-activate";
            })
          ];
        };
    }) nixpkgs.legacyPackages;
  };
}
