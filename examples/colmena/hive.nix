{
  meta = {
    description = "Three machines";
    nixpkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; };
    nodeNixpkgs.pi = import (import ./nixpkgs.nix) { system = "aarch64-linux"; };
  };

  # Applies to every host.
  defaults.deployment.targetUser = "deploy";

  web = {
    imports = [ ./hosts/web.nix ];
    deployment = {
      targetHost = "web.example.org";
      tags = [
        "prod"
        "web"
      ];
      keys.tls-key = {
        keyFile = ./secrets/tls-key;
        destDir = "/var/lib/secrets";
      };
    };
  };

  db = {
    imports = [ ./hosts/db.nix ];
    deployment = {
      targetHost = "db.example.org";
      targetPort = 2222;
      tags = [ "prod" ];
    };
  };

  pi = {
    imports = [ ./hosts/pi.nix ];
    deployment = {
      targetHost = "pi.example.org";
      tags = [ "edge" ];
    };
  };
}
