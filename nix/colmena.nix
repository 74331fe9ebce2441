# colmena: hive.nix, or a flake's `colmenaHive` or older `colmena`. Schema: colmena's src/nix/hive/ (5bf4ce6).
{
  request,
  glue,
  keyUnits,
}:
let
  inherit (glue request)
    answer
    evaluated
    file
    find
    keyType
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
      throw "the hive has both meta and network; they are the same, keep meta"
    else
      hive.meta or hive.network or { };

  # A path, a function or a set, as meta.nixpkgs may be.
  packagesOf =
    what: given:
    if
      builtins.isPath given || builtins.isString given || (builtins.isAttrs given && given ? outPath)
    then
      if inFlake then
        throw "${what} must be a set of packages in a flake: write `import nixpkgs { system = …; }`"
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
    ]) "pre-activation" "When it is sent.";
  };
  deploymentModule = name: {
    options.deployment = {
      targetHost = option (lib.types.nullOr lib.types.str) name "Where the host runs; null: only here.";
      targetPort = option (lib.types.nullOr lib.types.int) null "The port of its SSH.";
      targetUser = option (lib.types.nullOr lib.types.str) "root" "Who logs in.";
      tags = option (lib.types.listOf lib.types.str) [ ] "Words to select it by.";
      sshOptions = option (lib.types.listOf lib.types.str) [ ] "Further words for ssh.";
      privilegeEscalationCommand = option (lib.types.listOf lib.types.str) [
        "sudo"
        "-H"
        "--"
      ] "What stands before a command that needs root.";
      allowLocalDeployment = option lib.types.bool false "Not used.";
      buildOnTarget = option lib.types.bool false "Not used: it is built here.";
      replaceUnknownProfiles = option lib.types.bool true "Not used.";
      keys = option (lib.types.attrsOf key) { } "Files that must not be in the store.";
    };
  };

  modulesOf =
    name: one:
    let
      # Overlays and configuration of meta.nixpkgs reach the host's own packages. Before 22.11 the latter does not merge.
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
      keyUnits
      (hive.defaults or { })
    ]
    ++ (if builtins.isList own then own else [ own ]);
  evaluate =
    check: name:
    let
      different = meta.nodeNixpkgs.${name} or null;
      one = if different == null then packages else packagesOf "meta.nodeNixpkgs.${name}" different;
    in
    import (one.path + "/nixos/lib/eval-config.nix") {
      system = systemOfPackages one;
      modules = modulesOf name one ++ (if check then [ ] else [ { _module.check = false; } ]);
      specialArgs = {
        inherit name nodes;
      }
      // (meta.specialArgs or { })
      // (meta.nodeSpecialArgs.${name} or { });
    };
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
  # What modules see of the other hosts.
  nodes = all false;

  # A prepared hive has evaluated its hosts itself.
  prepared = flake.colmenaHive;
  hosts =
    if !(inFlake && flake ? colmenaHive) then
      all true
    else if prepared.__schema or null == "v0.5" || prepared.__schema or null == "v0.20241006" then
      prepared.nodes
    else
      throw "colmenaHive has the schema ${
        prepared.__schema or "of before colmena 0.5"
      }, which is not known";
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
