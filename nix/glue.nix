# What every adapter shares: the request, and how evaluated hosts become the one answer that src/plan reads.
#
# An adapter is a file { request, glue }: glue { inherit request; } …; `request` is JSON text, so that no name, path or
# attribute of a user's ever becomes part of an expression.
requestText:
let
  request = builtins.fromJSON requestText;

  # `a.b.c or default` for a list of names; null counts as missing.
  find = default: path: set:
    if path == [ ] then (if set == null then default else set)
    else if builtins.isAttrs set && builtins.hasAttr (builtins.head path) set
    then find default (builtins.tail path) (builtins.getAttr (builtins.head path) set)
    else default;

  # The platform the host runs on: of cross-compiled hosts not the one that builds it.
  systemOf = host:
    find host.toplevel.system [ "stdenv" "hostPlatform" "system" ] host.pkgs;

  # nix.settings since 22.05, nix.binaryCaches before; null where the modules know neither.
  nixOf = config:
    let
      settings = find { } [ "nix" "settings" ] config;
      substituters = settings.substituters or (find null [ "nix" "binaryCaches" ] config);
      keys = settings.trusted-public-keys or (find null [ "nix" "binaryCachePublicKeys" ] config);
    in
    if substituters == null && keys == null then null else {
      substituters = if substituters == null then [ ] else substituters;
      trustedPublicKeys = if keys == null then [ ] else keys;
    };

  # Where the host's nixpkgs lies: the store path or folder that pkgs was imported from.
  nixpkgsOf = pkgs:
    let path = find null [ "path" ] pkgs;
    in if path == null then null else toString path;

  describe = name: host: {
    inherit name;
    system = systemOf host;
    # Not `outPath`: a set with one is told as a string.
    inherit (host.toplevel) drvPath;
    output = host.toplevel.outPath;
    nixpkgs = nixpkgsOf host.pkgs;
    nix = if host.config == null then null else nixOf host.config;
    deployment = host.deployment or null;
  };

  # Says one line on standard error. `request.mark` is drawn anew for each call, so that no trace of a user's
  # configuration can be taken for ours.
  say = what: builtins.trace "${request.mark} ${builtins.unsafeDiscardStringContext (builtins.toJSON what)}";

  # One host after the other, so that an error belongs to the host that was begun last, those before it are kept, and
  # what a host needed can be collected before the next.
  each = describeOne: names:
    builtins.foldl'
      (done: name: builtins.seq done (say { begun = name; } (
        let answer = describeOne name; in
        builtins.seq (builtins.toJSON answer) (say { inherit answer; } (done + 1))
      )))
      0
      names;

  # The value of an option as JSON can tell it: functions by a word, derivations by their path.
  plain = value:
    let type = builtins.typeOf value; in
    if type == "lambda" then "«function»"
    else if type == "path" then toString value
    else if type == "list" then map plain value
    else if type == "set" then
      if value.type or null == "derivation" then value.outPath
      else if value ? __toString || value ? outPath then toString value
      else builtins.mapAttrs (_: plain) value
    else value;

  option = host:
    let
      walk = seen: path: set:
        if path == [ ] then { found = true; value = plain set; }
        else if ! builtins.isAttrs set then { found = false; inherit seen; known = [ ]; }
        else if builtins.hasAttr (builtins.head path) set
        then walk (seen ++ [ (builtins.head path) ]) (builtins.tail path) (builtins.getAttr (builtins.head path) set)
        else { found = false; inherit seen; known = builtins.attrNames set; };
    in
    if host.config == null then { found = false; seen = [ ]; known = null; } else walk [ ] request.option host.config;
in
{
  inherit request find plain;

  # A whole host from what nixosSystem, eval-config.nix and nixos/default.nix answer with.
  evaluated = name: evaluation:
    if ! (builtins.isAttrs evaluation && evaluation ? config.system.build.toplevel)
    then throw "${builtins.toJSON name} is not a NixOS system: it has no config.system.build.toplevel"
    else {
    inherit (evaluation) config;
    pkgs = evaluation.pkgs or (find null [ "_module" "args" "pkgs" ] evaluation.config);
    toplevel = evaluation.config.system.build.toplevel;
  };

  # `names`: of all hosts. `host`: name -> { config or null, pkgs or null, toplevel, deployment }.
  # `root`: the folder that the source was read from.
  answer = { names, host, root, deployment ? _: null, notes ? { } }: {
    names = { inherit names root notes; };
    deployments = each (name: { inherit name; deployment = deployment name; }) request.hosts;
    hosts = each (name: describe name (host name // { deployment = deployment name; })) request.hosts;
    option = option (host (builtins.head request.hosts));
  };
}
