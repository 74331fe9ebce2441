# Any Nix file with an attribute path to a toplevel, a `nixos` evaluation, a package that contains a toplevel, or a set of these.
{ request, glue }:
let
  inherit (glue request)
    answer
    evaluated
    evaluationsIn
    file
    ;
  asked = (glue request).request;

  # As in nix-build, a function is called with those of the user's arguments that it takes, and with `system`.
  given = (if asked.system == null then { } else { inherit (asked) system; }) // asked.arguments;
  call =
    value:
    if builtins.isFunction value then
      value (builtins.intersectAttrs (builtins.functionArgs value) given)
    else if builtins.isAttrs value && value ? __functor then
      value { }
    else
      value;
  walk =
    path: seen: value:
    let
      set = call value;
      name = builtins.head path;
    in
    if path == [ ] then
      set
    else if builtins.isAttrs set && builtins.hasAttr name set then
      walk (builtins.tail path) (seen ++ [ name ]) (builtins.getAttr name set)
    else
      throw "there is no attribute ${builtins.toJSON name} in ${
        if seen == [ ] then "the file" else builtins.concatStringsSep "." seen
      }${
        if builtins.isAttrs set then
          "; it has ${builtins.concatStringsSep ", " (builtins.attrNames set)}"
        else
          ""
      }";
  value = walk asked.attribute [ ] (import (file asked.file));

  isDerivation = one: builtins.isAttrs one && one.type or null == "derivation";
  # Recognized by its attributes, without evaluating it.
  isHost = one: isDerivation one || (builtins.isAttrs one && one ? config && one ? options);
  # The name of a toplevel is nixos-system-<host>-<version>.
  nameOf =
    one:
    let
      match = builtins.match "nixos-system-(.+)-[0-9][0-9]\\.[0-9][0-9].*" one.name;
      hostName = one.config.networking.hostName or "";
    in
    if !isDerivation one && hostName != "" then
      hostName
    else if isDerivation one && match != null then
      builtins.head match
    else
      asked.fallback;

  hosts =
    if isHost value then
      { ${nameOf value} = value; }
    else if builtins.isAttrs value then
      value
    else
      throw "the attribute is neither a NixOS system nor a set of NixOS systems, but a ${builtins.typeOf value}";
  # An attribute that fails to evaluate is kept: its failure is reported if the host is selected.
  mayBeHost =
    name:
    let
      tried = builtins.tryEval (isHost (call (builtins.getAttr name hosts)));
    in
    !tried.success || tried.value;
  found = builtins.filter mayBeHost (builtins.attrNames hosts);

  # For the error if there is no host: where they often are. flake-compat and unflake return all outputs of a flake.
  sets =
    builtins.filter
      (name: builtins.hasAttr name hosts && evaluationsIn (builtins.getAttr name hosts) != [ ])
      [
        "nixosConfigurations"
        "hosts"
        "nodes"
        "machines"
      ];
  where = builtins.concatStringsSep "." asked.attribute;
  names = builtins.attrNames hosts;
  listed = builtins.concatStringsSep ", " (
    builtins.genList (builtins.elemAt names) (
      if builtins.length names > 12 then 12 else builtins.length names
    )
  );
  noHosts = "there is no NixOS system in ${
    if where == "" then builtins.baseNameOf asked.file else where
  }, ${
    if sets != [ ] then
      "but in its attribute ${builtins.head sets}: write `attribute: ${
        if where == "" then "" else "${where}."
      }${builtins.head sets}`"
    else if names == [ ] then
      "which is an empty set"
    else
      "only ${listed}${
        if builtins.length names > 12 then ", …" else ""
      }: set the input `attribute` to a NixOS system or to a set of them"
  }";
in
answer {
  names =
    if isHost value then
      builtins.attrNames hosts
    else if found == [ ] then
      throw noHosts
    else
      found;
  root = asked.root;
  host =
    name:
    let
      one = call (builtins.getAttr name hosts);
    in
    if isHost one && !isDerivation one then
      evaluated name one
    else if isDerivation one then
      {
        config = null;
        pkgs = null;
        toplevel = one;
        wrapper = if builtins.match "nixos-system-.*" one.name == null then one.drvPath else null;
      }
    else
      throw "${builtins.toJSON name} is not a NixOS system, but a ${builtins.typeOf one}";
}
