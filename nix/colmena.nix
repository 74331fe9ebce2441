# colmena: hive.nix, or a flake's `colmenaHive` or older `colmena`. Schema: colmena's src/nix/hive/ (5bf4ce6).
{
  request,
  glue,
  keyUnits,
}:
let
  inherit (glue request)
    answer
    evalConfigOf
    evaluated
    file
    find
    keyType
    locationFor
    nixpkgsFor
    secretsOfKeys
    systemOfPackages
    ;
  asked = (glue request).request;
  inFlake = asked ? reference;
  flake = builtins.getFlake asked.reference;

  raw = if inFlake then flake.colmena else import (file asked.file);
  hive = if builtins.isFunction raw || raw ? __functor then raw { } else raw;
  meta =
    if hive ? meta && hive ? network then
      throw "the hive has both meta and network, which are two names for the same; keep meta"
    else
      hive.meta or hive.network or { };

  # meta.nixpkgs may be a path, a function or a package set.
  packagesOf =
    what: given:
    if
      builtins.isPath given || builtins.isString given || (builtins.isAttrs given && given ? outPath)
    then
      if inFlake then
        throw "${what} must be a package set in a flake: write `import nixpkgs { system = …; }`"
      else
        packagesOf what (import given)
    else if builtins.isFunction given then
      given ({ overlays = [ ]; } // systemArgument)
    else
      given;
  systemArgument = if asked.system == null then { } else { inherit (asked) system; };
  packages =
    if meta.nixpkgs or null != null then
      packagesOf "meta.nixpkgs" meta.nixpkgs
    else if inFlake then
      throw "meta.nixpkgs is missing"
    else
      packagesOf "nixpkgs" (nixpkgsFor "hive.nix (meta.nixpkgs is missing)");
  inherit (packages) lib;

  option =
    type: default: description:
    lib.mkOption { inherit type default description; };
  key = keyType lib {
    uploadAt = option (lib.types.enum [
      "pre-activation"
      "post-activation"
    ]) "pre-activation" "When it is uploaded.";
  };
  deploymentModule = name: {
    options.deployment = {
      targetHost =
        option (lib.types.nullOr lib.types.str) name
          "Address of the host; null: it is only built.";
      targetPort = option (lib.types.nullOr lib.types.int) null "Its SSH port.";
      targetUser = option (lib.types.nullOr lib.types.str) "root" "The user that logs in.";
      tags = option (lib.types.listOf lib.types.str) [ ] "Tags to select it by.";
      sshOptions = option (lib.types.listOf lib.types.str) [ ] "Further arguments for ssh.";
      privilegeEscalationCommand = option (lib.types.listOf lib.types.str) [
        "sudo"
        "-H"
        "--"
      ] "The words before a command that needs root.";
      allowLocalDeployment = option lib.types.bool false "Not used.";
      buildOnTarget = option lib.types.bool false "Not used: hosts are never built on their target.";
      replaceUnknownProfiles = option lib.types.bool true "Not used.";
      keys = option (lib.types.attrsOf key) { } "Files that must not be in the store.";
    };
  };

  modulesOf =
    name: one:
    let
      # Overlays and configuration of meta.nixpkgs apply to the host's packages. Before 22.11, configuration is not merged.
      typed = lib.versionAtLeast (lib.version or "0") "22.11pre";
      packagesModule = {
        nixpkgs.overlays = lib.mkBefore (one.overlays or [ ]);
        nixpkgs.config = (if typed then lib.mkBefore else lib.mkOptionDefault) (one.config or { });
      };
      own = builtins.getAttr name hive;
    in
    [
      packagesModule
      (deploymentModule name)
      (keyUnits "colmena-chown-keys")
      (hive.defaults or { })
    ]
    ++ (if builtins.isList own then own else [ own ]);
  evaluate =
    check: name:
    let
      different = meta.nodeNixpkgs.${name} or null;
      one = if different == null then packages else packagesOf "meta.nodeNixpkgs.${name}" different;
      evalConfig = evalConfigOf one.path;
    in
    evalConfig (
      {
        system = systemOfPackages one;
        modules = modulesOf name one ++ (if check then [ ] else [ { _module.check = false; } ]);
        specialArgs = {
          inherit name nodes;
        }
        // (meta.specialArgs or { })
        // (meta.nodeSpecialArgs.${name} or { });
      }
      // locationFor evalConfig name hive (if inFlake then "${flake.outPath}/flake.nix" else asked.file)
    );
  names = builtins.attrNames (
    removeAttrs hive [
      "meta"
      "network"
      "defaults"
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
  # The other hosts, for the modules of a host; their options are not checked.
  nodes = all false;

  # `colmenaHive` contains hosts that are already evaluated.
  prepared = flake.colmenaHive;
  hosts =
    if !(inFlake && flake ? colmenaHive) then
      all true
    else if prepared.__schema or null == "v0.5" || prepared.__schema or null == "v0.20241006" then
      prepared.nodes
    else
      throw "colmenaHive has the schema ${
        prepared.__schema or "of a version before colmena 0.5"
      }, which is not supported";
in
answer {
  names = builtins.attrNames hosts;
  root = if inFlake then flake.sourceInfo.outPath else asked.root;
  host = name: evaluated name (builtins.getAttr name hosts);
  deployment =
    name:
    let
      inherit ((builtins.getAttr name hosts).config) deployment;
    in
    {
      address = if deployment.targetHost == null then false else deployment.targetHost;
      port = deployment.targetPort;
      user = deployment.targetUser;
      privilegeEscalation = deployment.privilegeEscalationCommand;
      sshOptions = deployment.sshOptions or [ ];
      substituteOnDestination = true;
      inherit (deployment) tags;
      secrets = secretsOfKeys deployment.keys;
    };
}
