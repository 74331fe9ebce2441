# What every adapter shares: the request, and how evaluated hosts become the one answer that src/plan reads.
#
# An adapter is a file { request, glue }; the request is JSON text, so that no name, path or attribute of a user's ever
# becomes part of an expression.
requestText:
let
  request = builtins.fromJSON requestText;

  # `set.a.b.c or default` for a list of names; null counts as missing.
  find =
    default: path: set:
    if path == [ ] then
      (if set == null then default else set)
    else if builtins.isAttrs set && builtins.hasAttr (builtins.head path) set then
      find default (builtins.tail path) (builtins.getAttr (builtins.head path) set)
    else
      default;

  # The platform the host runs on: of cross-compiled hosts not the one that builds it.
  systemOf =
    host:
    find (find host.toplevel.system [ "stdenv" "system" ] host.pkgs) [
      "stdenv"
      "hostPlatform"
      "system"
    ] host.pkgs;

  # nix.settings since 22.05, nix.binaryCaches before; null where the modules know neither.
  nixOf =
    config:
    let
      settings = find { } [ "nix" "settings" ] config;
      substituters = settings.substituters or (find null [ "nix" "binaryCaches" ] config);
      keys = settings.trusted-public-keys or (find null [ "nix" "binaryCachePublicKeys" ] config);
    in
    if substituters == null && keys == null then
      null
    else
      {
        substituters = if substituters == null then [ ] else substituters;
        trustedPublicKeys = if keys == null then [ ] else keys;
      };

  # Where the host's nixpkgs lies: the store path or folder that pkgs was imported from.
  nixpkgsOf =
    pkgs:
    let
      path = find null [ "path" ] pkgs;
    in
    if path == null then null else toString path;

  describe = name: host: {
    inherit name;
    system = systemOf host;
    # Not `outPath`: a set with one is told as a string.
    inherit (host.toplevel) drvPath;
    output = host.toplevel.outPath;
    nixpkgs = nixpkgsOf host.pkgs;
    nix = if host.config == null then null else nixOf host.config;
    # The derivation of a package that holds the toplevel; the toplevel above is then a guess, or this very derivation.
    wrapper = host.wrapper or null;
  };

  # Says one line on standard error. `request.mark` is drawn anew for each call, so that no trace of a user's
  # configuration can be taken for ours.
  say =
    what:
    builtins.trace "${request.mark} ${builtins.unsafeDiscardStringContext (builtins.toJSON what)}";

  # One host after the other, so that an error belongs to the host that was begun last, those before it are kept, and
  # what a host needed can be collected before the next.
  each =
    describeOne: names:
    builtins.foldl' (
      done: name:
      builtins.seq done (
        say { begun = name; } (
          let
            answer = describeOne name;
          in
          builtins.seq (builtins.toJSON answer) (say { inherit answer; } (done + 1))
        )
      )
    ) 0 names;

  # Submodules of nixpkgs before 18.09 carry their own arguments.
  clean =
    value:
    if builtins.isList value then
      map clean value
    else if builtins.isAttrs value then
      builtins.mapAttrs (_: clean) (removeAttrs value [ "_module" ])
    else
      value;

  # A value as JSON can tell it: functions by a word, derivations by their path.
  plain =
    value:
    let
      type = builtins.typeOf value;
    in
    if type == "lambda" then
      "«function»"
    else if type == "path" then
      toString value
    else if type == "list" then
      map plain value
    else if type == "set" then
      if value ? outPath || value ? __toString then
        toString value
      else
        builtins.mapAttrs (_: plain) (removeAttrs value [ "_module" ])
    else
      value;

  optionOf =
    host:
    let
      walk =
        path: set:
        if path == [ ] then
          {
            found = true;
            value = plain set;
          }
        else if !builtins.isAttrs set then
          {
            found = false;
            known = [ ];
            missing = builtins.head path;
          }
        else if builtins.hasAttr (builtins.head path) set then
          walk (builtins.tail path) (builtins.getAttr (builtins.head path) set)
        else
          {
            found = false;
            known = builtins.attrNames set;
            missing = builtins.head path;
          };
    in
    if host.config == null then
      {
        found = false;
        known = null;
        missing = null;
      }
    else
      walk request.option host.config;
in
rec {
  inherit request find;

  # A whole host from what nixosSystem, eval-config.nix and nixos/default.nix answer with.
  evaluated =
    name: evaluation:
    if isEvaluation evaluation then
      {
        inherit (evaluation) config;
        pkgs = evaluation.pkgs or (find null [ "_module" "args" "pkgs" ] evaluation.config);
        toplevel = evaluation.config.system.build.toplevel;
      }
    else
      throw "${builtins.toJSON name} is not a NixOS system: it has no config.system.build.toplevel";

  isEvaluation = value: builtins.isAttrs value && value ? config.system.build.toplevel;

  # An absolute path given as text.
  file = text: /. + text;

  # What stands for <nixpkgs>: the pin in the request, or NIX_PATH where `nixpkgs-pin: warn` lets it through.
  nixpkgsFor =
    who:
    if request.nixpkgs or null != null then
      file request.nixpkgs
    else if request.warn or false then
      <nixpkgs>
    else
      throw "${who} does not say which nixpkgs it is built from, so that <nixpkgs> of the machine would be used";

  # eval-config.nix of a nixpkgs folder.
  evalConfigOf = nixpkgs: import (nixpkgs + "/nixos/lib/eval-config.nix");

  systemOfPackages =
    pkgs: find (find null [ "system" ] pkgs) [ "stdenv" "hostPlatform" "system" ] pkgs;

  # The type of one of `deployment.keys`, which colmena has from NixOps; `more` are the options it has besides.
  keyType =
    lib: more:
    let
      option =
        type: default: description:
        lib.mkOption { inherit type default description; };
    in
    lib.types.submodule (
      { config, name, ... }: {
        options = {
          name = option lib.types.str name "Its file's name.";
          text = option (lib.types.nullOr lib.types.str) null "What it holds.";
          keyCommand = option (lib.types.nullOr (
            lib.types.listOf lib.types.str
          )) null "A command of the deployer that prints it.";
          keyFile = lib.mkOption {
            type = lib.types.nullOr lib.types.path;
            default = null;
            apply = value: if value == null then null else toString value;
            description = "A file of the deployer's that holds it.";
          };
          destDir = option lib.types.path "/run/keys" "Its folder on the target.";
          path = option lib.types.path "${config.destDir}/${config.name}" "Its path on the target.";
          user = option lib.types.str "root" "Its owner.";
          group = option lib.types.str "root" "Its group.";
          permissions = option lib.types.str "0600" "Its mode, octal.";
        }
        // more;
      }
    );

  # `keys` of NixOps and colmena as src/plan knows secrets.
  secretsOfKeys =
    keys:
    map (
      name:
      let
        key = builtins.getAttr name keys;
      in
      {
        inherit name;
        inherit (key) user group permissions;
        source =
          if key.keyFile or null != null then
            { file = toString key.keyFile; }
          else if key.keyCommand or null != null then
            { command = key.keyCommand; }
          else if key.text or null != null then
            { inherit (key) text; }
          else
            throw "the key ${builtins.toJSON name} has none of text, keyFile and keyCommand";
        destination = key.path;
        action = [ ];
        mkDirs = true;
        uploadAt = key.uploadAt or "pre-activation";
      }
    ) (builtins.attrNames keys);

  # `names`: of all hosts. `host`: name -> { config or null, pkgs or null, toplevel }. `deployment`: name -> what is known
  # of its target. `root`: the folder that the source was read from.
  answer =
    {
      names,
      host,
      root,
      deployment ? _: null,
      notes ? { },
    }:
    {
      names = { inherit names root notes; };
      deployments = each (name: {
        inherit name;
        deployment = clean (deployment name);
      }) request.hosts;
      hosts = each (
        name: describe name (host name) // { deployment = clean (deployment name); }
      ) request.hosts;
      option = optionOf (host (builtins.head request.hosts));
    };
}
