lib: rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    isAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  filterAttrs =
    keep: set: removeAttrs set (builtins.filter (name: !keep name set.${name}) (attrNames set));
  concatMapAttrs = f: set: builtins.foldl' (a: b: a // b) { } (mapAttrsToList f set);
  optionalAttrs = condition: set: if condition then set else { };
  foldlAttrs =
    f: initial: set:
    builtins.foldl' (acc: name: f acc name set.${name}) initial (attrNames set);
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && set ? ${builtins.head path} then
      attrByPath (builtins.tail path) default set.${builtins.head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ]
    || (set ? ${builtins.head path} && hasAttrByPath (builtins.tail path) set.${builtins.head path});
  setAttrByPath =
    path: value:
    if path == [ ] then
      value
    else
      { ${builtins.head path} = setAttrByPath (builtins.tail path) value; };
  getAttrFromPath =
    path: attrByPath path (throw "cannot find attribute `${builtins.concatStringsSep "." path}'");
  getAttrs = names: set: genAttrs names (name: set.${name});
  recursiveUpdate =
    a: b:
    if builtins.isAttrs a && builtins.isAttrs b then
      a // mapAttrs (name: value: if a ? ${name} then recursiveUpdate a.${name} value else value) b
    else
      b;
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  isDerivation = x: builtins.isAttrs x && x.type or null == "derivation";
  zipAttrs = zipAttrsWith (_: values: values);
  getOutput = output: package: package.${output} or package;
  getBin = getOutput "bin";
  getExe' = package: name: "${getBin package}/bin/${name}";
  getExe =
    package:
    getExe' package (
      package.meta.mainProgram or package.pname or (builtins.parseDrvName package.name).name
    );
}
