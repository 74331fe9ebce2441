# To build one by hand: `nix-build nixos.nix -A web.system`.
let
  nixos = import (import ./nixpkgs.nix + "/nixos");
in
{
  web = nixos {
    configuration = ./hosts/web.nix;
    system = "x86_64-linux";
  };
  db = nixos {
    configuration = ./hosts/db.nix;
    system = "x86_64-linux";
  };
  pi = nixos {
    configuration = ./hosts/pi.nix;
    system = "aarch64-linux";
  };
}
