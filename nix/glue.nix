# Shared by all adapters: reads the request and converts evaluated hosts to the form that src/plan reads.
#
# An adapter is a function { request, glue }. The request is JSON text, so that names, paths and attributes never become part
# of an expression.
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

  # The platform that the host runs on; for a cross-compiled host this is not the one that builds it.
  systemOf =
    host:
    find (find host.toplevel.system [ "stdenv" "system" ] host.pkgs) [
      "stdenv"
      "hostPlatform"
      "system"
    ] host.pkgs;

  # nix.settings since 22.05, nix.binaryCaches before; null if the modules have neither.
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

  # The host's nixpkgs: the store path or folder that pkgs was imported from.
  nixpkgsOf =
    pkgs:
    let
      path = find null [ "path" ] pkgs;
    in
    if path == null then null else toString path;

  describe = name: host: {
    inherit name;
    system = systemOf host;
    # Not called `outPath`: toJSON converts a set that has one to a string.
    inherit (host.toplevel) drvPath;
    output = host.toplevel.outPath;
    nixpkgs = nixpkgsOf host.pkgs;
    nix = if host.config == null then null else nixOf host.config;
    # The derivation of a package that contains the toplevel. The toplevel above is then a guess, or this same derivation.
    wrapper = host.wrapper or null;
  };

  # Prints one line to standard error. `request.mark` is random for each call, so that no trace of a user's configuration can
  # be mistaken for ours.
  report =
    what:
    builtins.trace "${request.mark} ${builtins.unsafeDiscardStringContext (builtins.toJSON what)}";

  # One host after the other, so that an error belongs to the host that was begun last, the answers before it are kept, and
  # memory can be collected between hosts.
  each =
    describeOne: names:
    builtins.foldl' (
      done: name:
      builtins.seq done (
        report { begun = name; } (
          let
            answer = describeOne name;
          in
          builtins.seq (builtins.toJSON answer) (report { inherit answer; } (done + 1))
        )
      )
    ) 0 names;

  # Whether `request.selection` selects a host with these settings of its target. src/plan/select.ts decides; a host that this
  # selects wrongly is only evaluated in vain, or later.
  selects =
    name: settings:
    let
      inherit (request) selection;
      host = selection.hosts.${name};
      given = if host.tags != null then host.tags else find [ ] [ "tags" ] settings;
      tags = if builtins.isList given then builtins.filter builtins.isString given else [ ];
      matches = builtins.any (pattern: builtins.any (tag: builtins.match pattern tag != null) tags);
    in
    (host.included || matches selection.included) && !(host.excluded || matches selection.excluded);

  # Submodules of nixpkgs before 18.09 contain their own arguments.
  clean =
    value:
    if builtins.isList value then
      map clean value
    else if builtins.isAttrs value then
      builtins.mapAttrs (_: clean) (removeAttrs value [ "_module" ])
    else
      value;

  # A value in a form that JSON can represent: functions as a word, derivations as their path.
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

  # A host from the result of nixosSystem, lib.evalModules, eval-config.nix or nixos/default.nix.
  evaluated =
    name: evaluation:
    if isEvaluation evaluation then
      let
        whole = withSystem evaluation;
        inherit (whole) config;
        path = [
          "_module"
          "args"
          "pkgs"
        ];
      in
      {
        inherit config;
        # lib.evalModules returns its module arguments; before 23.05 they were part of the configuration.
        pkgs = whole.pkgs or (find (find null path config) path whole);
        toplevel = config.system.build.toplevel;
      }
    else
      throw "${builtins.toJSON name} is not a NixOS system: it has no config.system.build.toplevel";

  isEvaluation = value: builtins.isAttrs value && value ? config.system.build.toplevel;

  # The names of the evaluations in a set, which are recognized by their attributes. A value that fails is none.
  evaluationsIn =
    set:
    let
      isEvaluated = value: builtins.isAttrs value && value ? config && value ? options;
      isLikely = name: (builtins.tryEval (isEvaluated (builtins.getAttr name set))).value;
    in
    if builtins.isAttrs set then builtins.filter isLikely (builtins.attrNames set) else [ ];

  # The input `system` is the system of a host that does not define it: only with nixpkgs since 22.11, which has hostPlatform.
  withSystem =
    evaluation:
    let
      options = find { } [ "options" "nixpkgs" ] evaluation;
      isDefined = name: find false [ name "isDefined" ] options;
      # Arguments of older functions have the priority of mkDefault, 1000, and default values have 1500.
      isSet = name: find 1500 [ name "highestPrio" ] options < 1500;
      isKnown = isDefined "hostPlatform" || isDefined "pkgs" || isSet "localSystem" || isSet "system";
    in
    if
      (request.system or null) != null && evaluation ? extendModules && options ? hostPlatform && !isKnown
    then
      evaluation.extendModules { modules = [ { nixpkgs.hostPlatform = request.system; } ]; }
    else
      evaluation;

  # An absolute path given as text.
  file = text: /. + text;

  # <nixpkgs>: the pin in the request or, if `nixpkgs-pin` is `warn`, that of NIX_PATH.
  nixpkgsFor =
    who:
    if request.nixpkgs or null != null then
      file request.nixpkgs
    else if request.warn or false then
      <nixpkgs>
    else
      throw "${who} does not define its nixpkgs, so that <nixpkgs> of the machine would be used";

  # eval-config.nix of a nixpkgs folder.
  evalConfigOf = nixpkgs: import (nixpkgs + "/nixos/lib/eval-config.nix");

  # The file that errors name for modules which the source writes inline: the one that defines the attribute `name` of `set`, or
  # else `main`. Nixpkgs before 22.05 has no such argument.
  locationFor =
    evalConfig: name: set: main:
    if builtins.isFunction evalConfig && builtins.functionArgs evalConfig ? modulesLocation then
      {
        modulesLocation = builtins.unsafeDiscardStringContext (
          toString (builtins.unsafeGetAttrPos name set).file or main
        );
      }
    else
      { };

  systemOfPackages =
    pkgs: find (find null [ "system" ] pkgs) [ "stdenv" "hostPlatform" "system" ] pkgs;

  # The type of one of `deployment.keys`, which NixOps and colmena have in common; `more` are the options that only one has.
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
          name = option lib.types.str name "Name of its file.";
          text = option (lib.types.nullOr lib.types.str) null "Its content.";
          keyCommand = option (lib.types.nullOr (
            lib.types.listOf lib.types.str
          )) null "A command that prints it on the deployer's machine.";
          keyFile = lib.mkOption {
            type = lib.types.nullOr lib.types.path;
            default = null;
            apply = value: if value == null then null else toString value;
            description = "A file on the deployer's machine that contains it.";
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

  # `keys` of NixOps and colmena, in the form of secrets in src/plan.
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
            throw "the key ${builtins.toJSON name} has neither text nor keyFile nor keyCommand";
        destination = key.path;
        action = [ ];
        mkDirs = true;
        uploadAt = key.uploadAt or "pre-activation";
      }
    ) (builtins.attrNames keys);

  # `names`: of all hosts. `host`: name -> { config or null, pkgs or null, toplevel }. `deployment`: name -> the settings of its
  # target. `root`: the folder that the source was read from. `notes`: what only this format has; its definition in
  # src/plan/formats reads them.
  answer =
    {
      names,
      host,
      root,
      deployment ? _: null,
      notes ? { },
    }:
    let
      whole =
        settings: name:
        describe name (host name)
        // {
          deployment = if settings == null then clean (deployment name) else settings.deployment;
        };
    in
    {
      names = { inherit names root notes; };
      # The names and, if they are one, the whole host: its name may be part of its configuration, which is then evaluated once.
      opened = report { opened = { inherit names root notes; }; } (
        each (whole null) (if builtins.length names == 1 then names else [ ])
      );
      hosts = each (whole null) request.hosts;
      # The settings of every target and, if its tags select it, the host: in one evaluation, because each reads nixpkgs again.
      tagged = builtins.foldl' (
        done: name:
        let
          settings = {
            inherit name;
            deployment = clean (deployment name);
          };
        in
        builtins.seq done (
          report { begun = name; } (
            builtins.seq (builtins.toJSON settings) (
              report { answer = settings; } (
                if selects name settings.deployment then each (whole settings) [ name ] else done
              )
            )
          )
        )
      ) 0 request.hosts;
      option = optionOf (host (builtins.head request.hosts));
    };
}
