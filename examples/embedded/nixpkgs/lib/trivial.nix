lib: rec {
  id = x: x;
  const = x: _: x;
  flip =
    f: a: b:
    f b a;
  pipe = builtins.foldl' (value: f: f value);
  inherit (builtins)
    add
    bitAnd
    bitOr
    bitXor
    fromJSON
    functionArgs
    genericClosure
    isBool
    isFloat
    isInt
    isNull
    isPath
    lessThan
    pathExists
    readFile
    seq
    deepSeq
    sub
    toJSON
    trace
    tryEval
    typeOf
    ;
  release = "24.11";
  version = "${release}-miniature";
  versionSuffix = "-miniature";
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
  toFunction = v: if isFunction v then v else _: v;
  boolToString = b: if b then "true" else "false";
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  throwIf = condition: message: if condition then throw message else x: x;
  throwIfNot = condition: throwIf (!condition);
  warn = message: builtins.trace "evaluation warning: ${message}";
  warnIf = condition: message: if condition then warn message else x: x;
  showWarnings = warnings: result: builtins.foldl' (r: w: warn w r) result warnings;
  makeOverridable =
    f: args: f args // { override = new: makeOverridable f (args // lib.toFunction new args); };
  callPackageWith =
    scope: f: args:
    let
      function = if builtins.isFunction f then f else import f;
      wanted = builtins.functionArgs function;
    in
    makeOverridable function (builtins.intersectAttrs wanted scope // args);
}
