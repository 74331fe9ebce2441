# Modules and all that they import, each once: [{ key, file, imports, options, config, disabled }]. As in nixpkgs, the last
# one found comes first.
lib:
let
  inherit (builtins)
    attrNames
    concatMap
    elem
    filter
    head
    isAttrs
    isPath
    isString
    mapAttrs
    removeAttrs
    ;
  inherit (lib) isFunction;
  isA = type: x: isAttrs x && x._type or null == type;
in
moduleArgs: argsOf: modules:
let
  call =
    key: f:
    f (
      moduleArgs
      // mapAttrs (
        name: _:
        builtins.addErrorContext "while evaluating the module argument `${name}' in \"${key}\":" (
          moduleArgs.${name} or (argsOf.${name}
            or (throw "The module \"${key}\" has an argument `${name}', which is not defined.")
          )
        )
      ) (builtins.functionArgs (if f ? __functor then f.__functor f else f))
    );
  structure =
    file: key: module:
    let
      explicit = module ? config || module ? options;
      known = [
        "_class"
        "_file"
        "config"
        "disabledModules"
        "freeformType"
        "imports"
        "key"
        "meta"
        "options"
      ];
      stray = attrNames (removeAttrs module known);
      location = toString (module._file or file);
    in
    if !isAttrs module then
      throw "The module \"${key}\" is ${lib.showValue module}, but a module is a set of options or a function that gives one."
    else if isA "if" module || isA "merge" module || isA "override" module then
      structure file key { config = module; }
    else if explicit && stray != [ ] then
      throw (
        "Module `${key}' has an unsupported attribute `${head stray}'. This is caused by introducing a top-level "
        + "`config' or `options' attribute. Add configuration attributes immediately on the top level instead, or "
        + "move all of them (namely: ${toString stray}) into the explicit `config' attribute."
      )
    else
      {
        key = toString (module.key or key);
        file = location;
        imports = module.imports or [ ] ++ (if explicit then [ ] else module.require or [ ]);
        disabled = module.disabledModules or [ ];
        options = module.options or { };
        config = lib.mkMerge (
          lib.optional (module ? freeformType) { _module.freeformType = module.freeformType; }
          ++ [ (if explicit then module.config or { } else removeAttrs module ([ "require" ] ++ known)) ]
        );
      };
  load =
    parentFile: parentKey: n: module:
    let
      key = "${parentKey}:anon-${toString n}";
      path = toString module;
    in
    if isFunction module then
      structure parentFile key (call key module)
    else if isAttrs module then
      if module._type or null == "flake" || (module ? outPath && module ? outputs) then
        throw "A flake is used as a module in `${toString parentFile}': import one of its `nixosModules' instead."
      else
        structure parentFile key module
    else if isPath module || isString module then
      let
        content = import module;
      in
      structure path path (if isFunction content then call path content else content)
    else
      throw "`imports' of `${toString parentFile}' holds ${lib.showValue module}, but a module is a path, a set or a function.";
  loadAll = file: key: lib.imap1 (load file key);
  gather =
    disabled:
    builtins.genericClosure {
      startSet = filter (item: !elem item.key disabled) (loadAll "<unknown-file>" "" modules);
      operator = item: filter (sub: !elem sub.key disabled) (loadAll item.file item.key item.imports);
    };
  all = gather [ ];
  # A path, or the name of one of the modules that come with NixOS.
  keyOf =
    path:
    if isString path && !lib.hasPrefix "/" path then
      "${moduleArgs.modulesPath or ""}/${path}"
    else
      toString path;
  disabled = concatMap (item: map keyOf item.disabled) all;
in
lib.reverseList (if disabled == [ ] then all else gather disabled)
