{
  network = {
    description = "Three machines";
    pkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; };
  };

  web = {
    imports = [ ./hosts/web.nix ];
    deployment = {
      targetHost = "web.example.org";
      targetUser = "deploy";
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
  };

  db = {
    imports = [ ./hosts/db.nix ];
    deployment = {
      targetHost = "db.example.org";
      targetPort = 2222;
      targetUser = "deploy";
      tags = [ "prod" ];
    };
  };

  pi = {
    imports = [ ./hosts/pi.nix ];
    # network.pkgs is for another system.
    nixpkgs.pkgs = import (import ./nixpkgs.nix) { system = "aarch64-linux"; };
    deployment = {
      targetHost = "pi.example.org";
      targetUser = "deploy";
      tags = [ "edge" ];
    };
  };
}
