# `services.nix-ferry.gate`: restricted keys that can only deploy what was signed for this machine, or only describe it.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  cfg = config.services.nix-ferry.gate;
  user = "nix-ferry";
  shell = pkgs.runtimeShell;

  texts = files: lib.concatMapStrings builtins.readFile files;
  parts = builtins.filter (name: name != "main.sh") (
    builtins.attrNames (builtins.readDir ./activation)
  );
  files = {
    gate = builtins.readFile ./gate/gate.sh;
    root = builtins.readFile ./gate/root.sh;
    # The activation script as it is sent to a target: main.sh, which calls the others, is the last.
    activate = texts (map (name: ./activation + "/${name}") (parts ++ [ "main.sh" ]));
    describe = texts [
      ./activation/boot-loader.sh
      ./activation/look.sh
      ./describe.sh
    ];
    settings = ''
      shell ${shell}
      host ${cfg.host}
      signing-keys ${toString cfg.signingKeys}
      cache-keys ${toString cfg.cacheKeys}
      allow-older ${lib.boolToString cfg.allowOlder}
    '';
  };
  directory = pkgs.runCommand "nix-ferry-gate" { } (
    "mkdir $out\n"
    + lib.concatStrings (
      lib.mapAttrsToList (name: text: "cp ${pkgs.writeText name text} $out/${name}\n") files
    )
  );

  # The key is named in the command, so that the journal can name it too.
  authorize =
    kind: key:
    let
      words = lib.splitString " " key;
      named = "${builtins.elemAt words 0} ${builtins.elemAt words 1}";
    in
    ''restrict,command="${shell} ${directory}/gate ${kind} ${named}" ${key}'';

  sudo =
    if config.security.sudo-rs.enable or false then
      config.security.sudo-rs
    else
      config.security.sudo or { };
  # These words and no others.
  rules = lib.mkIf (cfg.deployKeys != [ ]) [
    {
      users = [ user ];
      runAs = "root";
      commands = [
        {
          command = "${shell} ${directory}/root";
          options = [ "NOPASSWD" ];
        }
      ];
    }
  ];

  sshKeys = lib.types.listOf (lib.types.strMatching "[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\n\r]*)?");
  nixKeys = lib.types.listOf (lib.types.strMatching "[A-Za-z0-9._-]+:[A-Za-z0-9+/]{43}=");
in
{
  options.services.nix-ferry.gate = {
    enable = lib.mkEnableOption "the user `${user}`, whose keys can only do what this module allows";
    host = lib.mkOption {
      type = lib.types.strMatching "[^[:cntrl:]]+";
      default = config.networking.hostName;
      description = "The name of this machine in the repository. Systems that were signed for another name are refused.";
    };
    deployKeys = lib.mkOption {
      type = sshKeys;
      default = [ ];
      description = "SSH keys that may deploy what was signed for this machine: `deploy-key`.";
    };
    previewKeys = lib.mkOption {
      type = sshKeys;
      default = [ ];
      description = "SSH keys that may only ask what this machine runs: `deploy-key` of a preview.";
    };
    signingKeys = lib.mkOption {
      type = nixKeys;
      default = [ ];
      description = "The public halves of the keys that sign what may be deployed: `signing-key`.";
    };
    cacheKeys = lib.mkOption {
      type = nixKeys;
      default = [ "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=" ];
      description = "Public keys that may sign the other paths of a system, such as those of caches.";
    };
    allowOlder = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether to accept a system whose commit is older than that of the one deployed last.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.deployKeys == [ ] || cfg.signingKeys != [ ];
        message = "services.nix-ferry.gate.deployKeys needs signingKeys: nothing could be deployed. `nix key generate-secret --key-name NAME | tee secret | nix key convert-secret-to-public` makes a key.";
      }
      {
        assertion = cfg.deployKeys == [ ] || sudo.enable or true;
        message = "services.nix-ferry.gate.deployKeys needs security.sudo.enable or security.sudo-rs.enable, by which the user `${user}` asks root to activate a system.";
      }
      {
        assertion = cfg.deployKeys == [ ] || !(sudo.execWheelOnly or false);
        message = "services.nix-ferry.gate.deployKeys needs `execWheelOnly = false` in security.sudo (or security.sudo-rs): the user `${user}` is not in the group `wheel`, and must not be.";
      }
      {
        assertion = !(builtins.any (key: builtins.elem key cfg.deployKeys) cfg.previewKeys);
        message = "A key is in both deployKeys and previewKeys of services.nix-ferry.gate.";
      }
    ];

    users.groups.${user} = { };
    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "Restricted keys of Nix Ferry";
      # Runs the forced command.
      inherit shell;
      openssh.authorizedKeys.keys =
        map (authorize "deploy") cfg.deployKeys ++ map (authorize "preview") cfg.previewKeys;
    };

    security = {
      sudo.extraRules = rules;
    }
    // lib.optionalAttrs (options.security ? sudo-rs) { sudo-rs.extraRules = rules; };

    # What the keys' own options refuse already; and the journal has what sshd refuses, which it otherwise reports only to the
    # client. A line for each request is enough: at a level of debugging there would be a hundred. Nothing of others may come
    # into the block, so it is the last one, and ends.
    services.openssh.extraConfig = lib.mkOrder 2000 ''
      Match User ${user}
        DisableForwarding yes
        PermitTTY no
        LogLevel VERBOSE
        LogVerbose *:session_input_channel_req():*,*:server_input_global_request():*
      Match all
    '';

    nix.settings.trusted-public-keys = cfg.signingKeys;
  };
}
