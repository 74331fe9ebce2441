{
  description = "A nixpkgs in miniature: builds without network or cache";

  outputs =
    { self }:
    let
      lib = (import ./lib).extend (
        final: _: {
          nixosSystem =
            args:
            import ./nixos/lib/eval-config.nix (
              {
                lib = final;
                system = null;
              }
              // args
            );
        }
      );
      perSystem = lib.genAttrs lib.systems.supported;
    in
    {
      inherit lib;
      legacyPackages = perSystem (system: import ./. { inherit system; });
      nixosModules.notDetected = ./nixos/modules/installer/scan/not-detected.nix;
    };
}
