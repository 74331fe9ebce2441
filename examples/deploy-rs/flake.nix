{
  description = "Three machines";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
    deploy-rs = {
      url = "github:serokell/deploy-rs";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      deploy-rs,
    }:
    {
      nixosConfigurations = builtins.mapAttrs (_: host: nixpkgs.lib.nixosSystem { modules = [ host ]; }) {
        web = ./hosts/web.nix;
        db = ./hosts/db.nix;
        pi = ./hosts/pi.nix;
      };

      deploy = {
        sshUser = "deploy";
        user = "root";

        nodes = {
          web = {
            hostname = "web.example.org";
            profiles.system.path = deploy-rs.lib.x86_64-linux.activate.nixos self.nixosConfigurations.web;
          };
          db = {
            hostname = "db.example.org";
            sshOpts = [
              "-p"
              "2222"
            ];
            profiles.system.path = deploy-rs.lib.x86_64-linux.activate.nixos self.nixosConfigurations.db;
          };
          pi = {
            hostname = "pi.example.org";
            profiles.system.path = deploy-rs.lib.aarch64-linux.activate.nixos self.nixosConfigurations.pi;
          };
        };
      };
    };
}
