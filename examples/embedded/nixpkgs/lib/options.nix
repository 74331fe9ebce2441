lib: rec {
  mkOption = attrs: attrs // { _type = "option"; };
  isOption = x: x._type or null == "option";
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  mkPackageOption =
    pkgs: name: _:
    mkOption {
      type = lib.types.package;
      default = pkgs.${name};
      description = "The ${name} package to use.";
    };
  mdDoc = text: text;
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalExample = literalExpression;
  showOption = lib.concatMapStringsSep "." (
    part: if builtins.match "[a-zA-Z_*<][a-zA-Z0-9_'*<>-]*" part != null then part else "\"${part}\""
  );
  showFiles = lib.concatMapStringsSep " and " (file: "`${toString file}'");
  getFiles = map (def: def.file);
  getValues = map (def: def.value);

  # A short form of a value, for an error; only one level deep, so that it cannot loop.
  showValue =
    value:
    let
      shallow =
        v:
        if builtins.isString v then
          "\"${builtins.substring 0 60 (builtins.unsafeDiscardStringContext v)}\""
        else if builtins.isInt v || builtins.isFloat v then
          builtins.toJSON v
        else if builtins.isBool v then
          lib.boolToString v
        else if v == null then
          "null"
        else if builtins.isPath v then
          toString v
        else
          "<${builtins.typeOf v}>";
    in
    if builtins.isList value then
      "[ ${lib.concatMapStringsSep " " shallow (lib.take 5 value)} ]"
    else if lib.isDerivation value then
      "<derivation ${value.name or "?"}>"
    else if builtins.isAttrs value then
      "{ ${lib.concatMapStringsSep " " (name: "${name} = …;") (lib.take 5 (builtins.attrNames value))} }"
    else
      shallow value;
  showDefs = lib.concatMapStrings (
    def:
    let
      shown = builtins.tryEval (showValue def.value);
    in
    "\n- In `${toString def.file}': ${if shown.success then shown.value else "<error>"}"
  );

  mergeOneOption =
    loc: defs:
    if builtins.length defs == 1 then
      (builtins.head defs).value
    else
      throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique.\n\nDefinition values:${showDefs defs}";
  mergeEqualOption =
    loc: defs:
    let
      first = builtins.head defs;
    in
    if builtins.all (def: def.value == first.value) defs then
      first.value
    else
      throw ''
        The option `${showOption loc}' has conflicting definition values:${showDefs defs}
        Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.'';
}
