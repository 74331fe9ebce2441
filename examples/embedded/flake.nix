{
  description = "A small fleet: a server and the Raspberry Pi that is its router";

  # A real fleet has `inputs.nixpkgs.url = "github:NixOS/nixpkgs/…"` here. This one has its own miniature nixpkgs.
  outputs =
    { self }:
    let
      nixpkgs = (import ./nixpkgs/flake.nix).outputs { self = nixpkgs; };
    in
    {
      nixosConfigurations = {
        router = nixpkgs.lib.nixosSystem {
          modules = [ ./hosts/router.nix ];
        };
        server = nixpkgs.lib.nixosSystem {
          modules = [ ./hosts/server.nix ];
        };
      };
    };
}
