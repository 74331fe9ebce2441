# NixOps, versions 1 and 2: network files, merged. Schema: NixOps' nix/eval-machine-info.nix, nix/options.nix and
# nix/keys.nix (fd4b803).
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

  # As in NixOps, a network that is a function is called with the user's arguments. The error names a missing one.
  call =
    path: value:
    if !builtins.isFunction value then
      value
    else
      let
        wanted = builtins.functionArgs value;
        missing = builtins.filter (
          name: !(builtins.getAttr name wanted || builtins.hasAttr name asked.arguments)
        ) (builtins.attrNames wanted);
      in
      if missing != [ ] then
        throw "${path} takes the argument ${builtins.head missing}, which is not given"
      else
        value asked.arguments;
  read = path: call path (import (file path)) // { _file = path; };
  inFlake = asked ? reference;
  flake = builtins.getFlake asked.reference;
  networks =
    if inFlake then
      [
        (call "nixopsConfigurations.default" flake.nixopsConfigurations.default // { _file = "flake.nix"; })
      ]
    else
      map ({ key }: read key) (
        builtins.genericClosure {
          startSet = map (key: { inherit key; }) asked.files;
          operator = { key }: map (path: { key = toString path; }) ((read key).require or [ ]);
        }
      );
  # Arguments are an error if no file is a function.
  isFunction =
    if inFlake then
      builtins.isFunction flake.nixopsConfigurations.default
    else
      builtins.any (path: builtins.isFunction (import (file path))) asked.files;
  merged =
    if asked.arguments == { } || isFunction then
      zip networks
    else
      throw "arguments are given, but no file of the network is a function";
  zip =
    sets:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = builtins.catAttrs name sets;
      }) (builtins.concatMap builtins.attrNames sets)
    );

  # In version 2, network.nixpkgs is a package set; version 1 uses <nixpkgs>.
  given = builtins.foldl' (found: one: if found != null then found else one.nixpkgs or null) null (
    merged.network or [ ]
  );
  packages =
    if inFlake then
      (builtins.head (merged.nixpkgs or (throw "the network has no nixpkgs")))
      .legacyPackages.${if asked.system == null then "x86_64-linux" else asked.system}
    else if given == null then
      import (nixpkgsFor "the network (network.nixpkgs is missing)") systemArgument
    else
      given;
  systemArgument = if asked.system == null then { } else { inherit (asked) system; };
  inherit (packages) lib;
  system = if asked.system != null then asked.system else systemOfPackages packages;

  option =
    type: default: description:
    lib.mkOption { inherit type default description; };
  required = type: description: lib.mkOption { inherit type description; };
  anything = lib.types.attrsOf lib.types.unspecified;

  key = keyType lib { };
  # In older networks a key is a string.
  keyOrText = lib.types.either lib.types.str key;
  keysOf =
    keys:
    builtins.mapAttrs (
      name: one:
      if !builtins.isString one then
        one
      else
        {
          text = one;
          inherit name;
          path = "/run/keys/${name}";
          user = "root";
          group = "root";
          permissions = "0600";
        }
    ) keys;

  deploymentModule = name: { config, options, ... }: {
    options = {
      deployment = {
        targetEnv = option lib.types.str "none" "The kind of machine; `none` for one that exists already.";
        targetHost = required lib.types.str "Address of the host.";
        targetPort = required lib.types.int "Its SSH port.";
        targetUser = option lib.types.str "root" "The user that logs in.";
        sshOptions = option (lib.types.listOf lib.types.str) [ ] "Further arguments for ssh.";
        privilegeEscalationCommand = option (lib.types.listOf lib.types.str) [
          "sudo"
          "-H"
          "--"
        ] "The words before a command that needs root.";
        provisionSSHKey = option lib.types.bool true "Not used.";
        alwaysActivate = option lib.types.bool true "Not used.";
        hasFastConnection = option lib.types.bool false "Whether the target fetches nothing itself.";
        owners = option (lib.types.listOf lib.types.str) [ ] "Not used.";
        encryptedLinksTo = option (lib.types.listOf lib.types.str) [ ] "Not supported.";
        storeKeysOnMachine = option lib.types.bool false "Not used.";
        name = option lib.types.str "ferry" "The deployment's name.";
        uuid = option lib.types.str "00000000-0000-0000-0000-000000000000" "The deployment's identifier.";
        arguments = option anything asked.arguments "The network's arguments.";
        keys = lib.mkOption {
          type = lib.types.attrsOf keyOrText;
          default = { };
          apply = keysOf;
          description = "Files that must not be in the store.";
        };
        # Settings of clouds are ignored: a machine in a cloud is refused because of its targetEnv.
        ec2 = option anything { } "Not supported.";
        gce = option anything { } "Not supported.";
        azure = option anything { } "Not supported.";
        hetzner = option anything { } "Not supported.";
        digitalOcean = option anything { } "Not supported.";
        libvirtd = option anything { } "Not supported.";
        virtualbox = option anything { } "Not supported.";
        container = option anything { } "Not supported.";
      };
      networking = {
        privateIPv4 = required lib.types.str "The host's private address.";
        publicIPv4 = option (lib.types.nullOr lib.types.str) null "The host's public address.";
        vpnPublicKey = option (lib.types.nullOr lib.types.str) null "Not used.";
      };
    };
    config = {
      networking.hostName = lib.mkOverride 900 name;
      deployment.targetHost = lib.mkOverride 900 name;
      deployment.targetPort = lib.mkDefault (
        builtins.head (find [ 22 ] [ "services" "openssh" "ports" ] config)
      );
      _module.args = {
        inherit name nodes;
        resources.machines = builtins.mapAttrs (_: node: node.config) nodes;
        uuid = "00000000-0000-0000-0000-000000000000";
        deploymentName = "ferry";
      };
    };
  };

  modulesOf =
    name:
    builtins.concatMap (
      network:
      lib.optional (builtins.hasAttr name network) {
        imports = [ (builtins.getAttr name network) ];
        inherit (network) _file;
      }
    ) networks
    ++ merged.defaults or [ ]
    ++ [
      (deploymentModule name)
      (keyUnits "nixops-keys")
    ];
  names = builtins.attrNames (
    removeAttrs merged [
      "network"
      "defaults"
      "resources"
      "require"
      "_file"
      "nixpkgs"
    ]
  );
  nodes = builtins.listToAttrs (
    map (name: {
      inherit name;
      value =
        let
          evalConfig = evalConfigOf packages.path;
          main = if inFlake then "${flake.outPath}/flake.nix" else builtins.head asked.files;
        in
        evalConfig (
          {
            inherit system;
            modules = modulesOf name;
          }
          // locationFor evalConfig name (builtins.head networks) main
        );
    }) names
  );

  # What needs the state of NixOps cannot be evaluated from the files alone.
  refused =
    name: deployment:
    let
      files = find [ ] [ "options" "deployment" "targetEnv" "files" ] (builtins.getAttr name nodes);
      place = if files == [ ] then "" else " in '${toString (builtins.head files)}'";
    in
    if deployment.targetEnv != "none" then
      throw ''${builtins.toJSON name} has deployment.targetEnv = "${deployment.targetEnv}"${place}, whose state only NixOps has; write "none" and a targetHost''
    else if deployment.encryptedLinksTo != [ ] then
      throw "${builtins.toJSON name} has deployment.encryptedLinksTo, whose keys only NixOps has"
    else
      deployment;
in
answer {
  inherit names;
  root = if inFlake then flake.sourceInfo.outPath else asked.root;
  host =
    name:
    let
      node = builtins.getAttr name nodes;
    in
    builtins.seq (refused name node.config.deployment) (evaluated name node);
  deployment =
    name:
    let
      deployment = refused name (builtins.getAttr name nodes).config.deployment;
    in
    {
      address = deployment.targetHost;
      port = deployment.targetPort;
      user = deployment.targetUser;
      privilegeEscalation = deployment.privilegeEscalationCommand;
      inherit (deployment) sshOptions;
      substituteOnDestination = !deployment.hasFastConnection;
      secrets = secretsOfKeys deployment.keys;
    };
}
