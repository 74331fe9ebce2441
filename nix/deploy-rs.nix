# deploy-rs: a flake's `deploy.nodes`. Schema: deploy-rs' interface.json (d5eff7f).
{ request, glue }:
let
  inherit (glue request) answer evaluated isEvaluation;
  asked = (glue request).request;
  flake = builtins.getFlake asked.reference;
  deploy = flake.deploy or { };
  nodes =
    deploy.nodes or (
      if systems != [ ] then
        throw "the output deploy has no nodes, but ${listed systems}: it is defined once for each system. Write `deploy.nodes` outside of the function that does this (`eachDefaultSystem`, `perSystem`): a node has only one system"
      else if deploy == { } then
        { }
      else
        throw "the output deploy has no nodes; it has ${listed (builtins.attrNames deploy)}"
    );
  systems = builtins.filter (name: deploy.${name} ? nodes) (builtins.attrNames deploy);
  listed = builtins.concatStringsSep ", ";

  # A setting may be in the profile, the node or `deploy`; the first one is used.
  setting =
    name: default: levels:
    let
      defined = builtins.filter (level: level.${name} or null != null) levels;
    in
    if defined == [ ] then default else (builtins.head defined).${name};
  levelsOf =
    name:
    let
      node = builtins.getAttr name nodes;
    in
    [
      (node.profiles.system or { })
      node
      deploy
    ];

  profileOf = name: (builtins.getAttr name nodes).profiles.system;
  # The package that deploy-rs activates contains the toplevel; src/plan finds it by the references of the derivation. A toplevel
  # itself, which deploy-rs refuses because it lacks deploy-rs' scripts, has all that is needed here.
  wrapperOf =
    name:
    let
      inherit (profileOf name) path;
      drvs = builtins.attrNames (builtins.getContext (toString path));
    in
    path.drvPath or (
      if isEvaluation path then
        throw "the path of the profile system of ${builtins.toJSON name} is a NixOS evaluation, not a package: write `path = deploy-rs.lib.<system>.activate.nixos self.nixosConfigurations.${name};`"
      else if drvs == [ ] then
        throw "the path of the profile system of ${builtins.toJSON name} is not a derivation"
      else
        builtins.head drvs
    );
  configurationOf =
    name:
    let
      own = flake.nixosConfigurations or { };
    in
    if builtins.hasAttr name own && isEvaluation (builtins.getAttr name own) then
      evaluated name (builtins.getAttr name own)
    else
      null;
in
answer {
  # A node without the profile system is not a NixOS system.
  names = builtins.filter (name: (builtins.getAttr name nodes).profiles or { } ? system) (
    builtins.attrNames nodes
  );
  root = flake.sourceInfo.outPath;
  # Profiles that are not NixOS systems, for a warning.
  notes = builtins.mapAttrs (
    _: node: builtins.attrNames (removeAttrs (node.profiles or { }) [ "system" ])
  ) nodes;
  host =
    name:
    let
      wrapper = wrapperOf name;
      configuration = configurationOf name;
    in
    if configuration == null then
      {
        config = null;
        pkgs = null;
        toplevel = {
          drvPath = wrapper;
          outPath = toString (profileOf name).path;
          system = (profileOf name).path.system or "unknown";
        };
        inherit wrapper;
      }
    else
      configuration // { inherit wrapper; };
  deployment =
    name:
    let
      node = builtins.getAttr name nodes;
      levels = levelsOf name;
      user = setting "user" "root" levels;
      interactive = setting "interactiveSudo" false levels;
      sudo = setting "sudo" null levels;
    in
    {
      address = node.hostname or null;
      # These matter only if the node is to be deployed, and the input `targets` may solve them.
      problems =
        (
          if node ? hostname then { } else { address = "The node ${builtins.toJSON name} has no hostname."; }
        )
        // (
          if interactive then
            {
              privilegeEscalation = "The node ${builtins.toJSON name} has interactiveSudo, but there is no one to type a password: allow sudo without one, or deploy as root.";
            }
          else
            { }
        );
      user = setting "sshUser" user levels;
      sshOptions = builtins.concatMap (level: level.sshOpts or [ ]) levels;
      substituteOnDestination = !setting "fastConnection" false levels;
      privilegeEscalation =
        if sudo == null then
          null
        else
          builtins.filter (word: builtins.isString word && word != "") (builtins.split " +" sudo)
          ++ [ "root" ];
    };
}
