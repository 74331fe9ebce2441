{
  description = "Three machines";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs = { nixpkgs, ... }: {
    nixosConfigurations = builtins.mapAttrs (_: host: nixpkgs.lib.nixosSystem { modules = [ host ]; }) {
      web = ./hosts/web.nix;
      db = ./hosts/db.nix;
      pi = ./hosts/pi.nix;
    };

    # Where each host runs, and further settings for Nix Ferry. Only the address is required.
    ferry = {
      web = {
        address = "web.example.org";
        user = "deploy";
        tags = [
          "prod"
          "web"
        ];
        healthChecks.http = [
          {
            description = "the page is there";
            port = 80;
          }
        ];
        preDeployChecks.cmd = [
          {
            description = "no backup is running";
            cmd = [
              "test"
              "!"
              "-e"
              "/run/backup"
            ];
          }
        ];
        secrets.tls-key = {
          source = "secrets/tls-key";
          destination = "/var/lib/secrets/tls-key";
        };
      };
      db = {
        address = "db.example.org";
        user = "deploy";
        port = 2222;
        tags = [ "prod" ];
      };
      pi = {
        address = "pi.example.org";
        user = "deploy";
        tags = [ "edge" ];
      };
    };
  };
}
