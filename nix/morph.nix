# morph: network.nix. Schema: morph's data/options.nix and data/eval-machines.nix (a529f37).
{ request, glue }:
let
  inherit (glue request)
    answer
    evalConfigOf
    evaluated
    file
    find
    locationFor
    nixpkgsFor
    systemOfPackages
    ;
  asked = (glue request).request;
  network = import (file asked.file);
  meta = network.network or { };
  packages = meta.pkgs or null;
  nixpkgs =
    if packages == null then nixpkgsFor "network.nix (network.pkgs is missing)" else packages.path;
  lib = meta.lib or packages.lib or (import (nixpkgs + "/lib"));
  # A function, or the path of one, as in morph.
  evalConfig =
    let
      given = meta.evalConfig or null;
    in
    if given == null then
      evalConfigOf nixpkgs
    else if builtins.isFunction given then
      given
    else
      import given;

  check = lib.types.submodule {
    options = {
      cmd = option (lib.types.listOf (
        lib.types.submodule {
          options = {
            description = required lib.types.str "What it checks.";
            cmd = option (lib.types.listOf lib.types.str) [ ] "The command and its arguments.";
            period = option lib.types.int 2 "Seconds between two attempts.";
            timeout = option lib.types.int 5 "Maximum seconds of one attempt.";
          };
        }
      )) [ ] "Commands that succeed on a healthy host.";
      http = option (lib.types.listOf (
        lib.types.submodule {
          options = {
            description = required lib.types.str "What it checks.";
            host = option (lib.types.nullOr lib.types.str) null "Host to connect to instead of the target.";
            scheme = option lib.types.str "http" "http or https.";
            port = required lib.types.int "The port.";
            path = option lib.types.str "/" "The path.";
            headers = option (lib.types.attrsOf lib.types.str) { } "Request headers.";
            period = option lib.types.int 2 "Seconds between two attempts.";
            timeout = option lib.types.int 5 "Maximum seconds of one attempt.";
            insecureSSL = option lib.types.bool false "Whether every certificate is accepted.";
          };
        }
      )) [ ] "Requests that succeed on a healthy host.";
    };
  };
  secret = lib.types.submodule {
    options = {
      source = required lib.types.str "Its file on the deployer's machine.";
      destination = required lib.types.str "Its path on the target.";
      owner.user = option lib.types.str "root" "Its owner.";
      owner.group = option lib.types.str "root" "Its group.";
      permissions = option lib.types.str "0400" "Its mode, octal.";
      action = option (lib.types.listOf lib.types.str) [ ] "Command to run after the upload.";
      mkDirs = option lib.types.bool true "Whether missing folders are created.";
      uploadAt = option (lib.types.enum [
        "pre-activation"
        "post-activation"
      ]) "pre-activation" "When it is uploaded.";
    };
  };
  option =
    type: default: description:
    lib.mkOption { inherit type default description; };
  required = type: description: lib.mkOption { inherit type description; };

  deploymentModule =
    name:
    {
      config,
      options,
      pkgs,
      ...
    }:
    {
      options.deployment = {
        targetHost = option lib.types.str name "Address of the host.";
        targetPort = option (lib.types.nullOr lib.types.int) null "Its SSH port.";
        targetUser = option lib.types.str "" "The user that logs in.";
        buildOnly = option lib.types.bool false "Whether it is only built.";
        substituteOnDestination =
          option lib.types.bool false
            "Whether the target may fetch missing paths itself.";
        tags = option (lib.types.listOf lib.types.str) [ ] "Tags to select it by.";
        secrets = option (lib.types.attrsOf secret) { } "Files that must not be in the store.";
        healthChecks = option check { } "Checks after the activation.";
        preDeployChecks = option check { } "Checks before the deployment.";
      };
      config = {
        networking.hostName = lib.mkDefault name;
        _module.args = {
          inherit name nodes;
        }
        // lib.optionalAttrs (packages != null && !(options ? nixpkgs.pkgs)) {
          # Before 18.03 there is no nixpkgs.pkgs; a host of another system then imports its own packages.
          pkgs = lib.mkIf (config.nixpkgs.system == systemOfPackages packages) (lib.mkForce packages);
        };
      }
      // lib.optionalAttrs (packages != null && options ? nixpkgs.pkgs) {
        nixpkgs.pkgs = lib.mkDefault packages;
      }
      // lib.optionalAttrs (options ? system.extraDependencies) {
        # The command of a check runs on the target, so the store paths in it must be part of the system. Name and content are
        # those of morph, so that the toplevel is the same.
        system.extraDependencies =
          let
            commands = lib.concatMap (one: one.cmd) (
              config.deployment.preDeployChecks.cmd ++ config.deployment.healthChecks.cmd
            );
          in
          [ (pkgs.writeText "healthcheck-commands.txt" (builtins.concatStringsSep "\n" commands)) ];
      };
    };

  modulesOf =
    name:
    [
      { imports = [ (builtins.getAttr name network) ]; }
      (network.defaults or { })
      (deploymentModule name)
    ]
    ++ lib.optional (network ? _file) { inherit (network) _file; };
  evaluate =
    check: name:
    evalConfig (
      {
        system = if packages == null then asked.system else systemOfPackages packages;
        modules = modulesOf name ++ lib.optional (!check) { _module.check = false; };
        specialArgs = meta.specialArgs or { };
      }
      // locationFor evalConfig name network asked.file
    );
  names = builtins.attrNames (
    removeAttrs network [
      "network"
      "defaults"
      "resources"
      "require"
      "_file"
    ]
  );
  all =
    check:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = evaluate check name;
      }) names
    );
  hosts = all true;
  # The other hosts, for the modules of a host; their options are not checked.
  nodes = all false;
in
answer {
  inherit names;
  root = asked.root;
  notes.order = meta.ordering.tags or [ ];
  host = name: evaluated name (builtins.getAttr name hosts);
  deployment =
    name:
    let
      inherit ((builtins.getAttr name hosts).config) deployment;
    in
    {
      address =
        if deployment.buildOnly then
          false
        else if deployment.targetHost == "" then
          name
        else
          deployment.targetHost;
      port = deployment.targetPort;
      user = if deployment.targetUser == "" then null else deployment.targetUser;
      inherit (deployment)
        substituteOnDestination
        tags
        healthChecks
        preDeployChecks
        ;
      secrets = map (
        name:
        let
          one = builtins.getAttr name deployment.secrets;
        in
        {
          inherit name;
          inherit (one.owner) user group;
          inherit (one)
            destination
            permissions
            action
            mkDirs
            uploadAt
            ;
          source.file = one.source;
        }
      ) (builtins.attrNames deployment.secrets);
    };
}
