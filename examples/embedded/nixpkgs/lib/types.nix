lib:
let
  inherit (lib) mergeDefinitions mergeEqualOption mergeOneOption;

  mkType =
    {
      name,
      description ? name,
      check ? _: true,
      merge ? mergeEqualOption,
      ...
    }@type:
    {
      inherit description check merge;
      _type = "option-type";
    }
    // type;

  # A type with an element type: two declarations of an option may have different element types, which are merged.
  wrapping =
    wrap: elem: type:
    mkType (
      {
        nestedTypes.elemType = elem;
        mergeWith = other: wrap (mergeTypes elem other.nestedTypes.elemType);
      }
      // type
    );
  mergeTypes = a: b: if a.name == b.name then (a.mergeWith or (_: a)) b else a;

  # Definitions of a set, by attribute: { name = [{ file, value }]; }.
  perAttribute =
    loc: defs:
    lib.zipAttrs (
      map (
        def:
        builtins.mapAttrs (_: value: {
          inherit (def) file;
          inherit value;
        }) def.value
      ) (lib.pushDownDefs loc defs)
    );

  setOf =
    name: lazy: elem:
    wrapping (setOf name lazy) elem {
      inherit name;
      description = "${name} of ${elem.description}";
      check = builtins.isAttrs;
      emptyValue.value = { };
      merge =
        loc: defs:
        let
          merged = builtins.mapAttrs (attr: mergeDefinitions (loc ++ [ attr ]) elem) (perAttribute loc defs);
        in
        builtins.mapAttrs (_: m: m.value) (
          if lazy then merged else lib.filterAttrs (_: m: m.isDefined) merged
        );
    };

  t = rec {
    inherit mkType;
    mkOptionType = mkType;
    isType = type: x: x._type or null == type;
    unspecified = mkType {
      name = "unspecified value";
      merge =
        loc: defs:
        if builtins.length defs == 1 then (builtins.head defs).value else anything.merge loc defs;
    };
    raw = mkType {
      name = "raw";
      description = "raw value";
      merge = mergeOneOption;
    };
    # Sets are merged, lists are concatenated, other values must be equal.
    anything = mkType {
      name = "anything";
      merge =
        loc: defs:
        let
          values = lib.getValues defs;
        in
        if builtins.all (v: builtins.isAttrs v && !lib.isDerivation v) values then
          (lazyAttrsOf anything).merge loc defs
        else if builtins.all builtins.isList values then
          builtins.concatLists values
        else
          mergeEqualOption loc defs;
    };
    attrs = mkType {
      name = "attrs";
      description = "attribute set";
      check = builtins.isAttrs;
      emptyValue.value = { };
      merge = _: defs: builtins.foldl' (a: def: a // def.value) { } defs;
    };
    bool = mkType {
      name = "bool";
      description = "boolean";
      check = builtins.isBool;
    };
    boolByOr = bool // {
      merge = _: defs: builtins.any (def: def.value) defs;
    };
    int = mkType {
      name = "int";
      description = "signed integer";
      check = builtins.isInt;
    };
    float = mkType {
      name = "float";
      description = "floating point number";
      check = builtins.isFloat;
    };
    number = either int float;
    ints = {
      between =
        lowest: highest:
        addCheck int (x: x >= lowest && x <= highest)
        // {
          description = "integer between ${toString lowest} and ${toString highest} (both inclusive)";
        };
      unsigned = addCheck int (x: x >= 0) // {
        description = "unsigned integer, meaning >=0";
      };
      positive = addCheck int (x: x > 0) // {
        description = "positive integer, meaning >0";
      };
      u8 = ints.between 0 255;
      u16 = ints.between 0 65535 // {
        description = "16 bit unsigned integer; between 0 and 65535 (both inclusive)";
      };
    };
    port = ints.u16;
    str = mkType {
      name = "str";
      description = "string";
      check = builtins.isString;
    };
    string = str;
    singleLineStr = strMatching "[^\n\r]*\n?";
    nonEmptyStr = addCheck str (x: builtins.match "[ \t\n]*" x == null) // {
      description = "non-empty string";
    };
    strMatching =
      pattern:
      addCheck str (x: builtins.match pattern x != null)
      // {
        description = "string matching the pattern ${pattern}";
      };
    separatedString =
      separator:
      mkType {
        name = "separatedString";
        description = "strings concatenated with ${builtins.toJSON separator}";
        check = builtins.isString;
        merge = _: defs: builtins.concatStringsSep separator (lib.getValues defs);
      };
    lines = separatedString "\n";
    commas = separatedString ",";
    envVar = separatedString ":";
    path = mkType {
      name = "path";
      description = "absolute path";
      check =
        x: (builtins.isString x || builtins.isPath x || x ? outPath) && lib.hasPrefix "/" (toString x);
    };
    package = mkType {
      name = "package";
      check = x: lib.isDerivation x || lib.isStorePath x;
      merge = mergeOneOption;
    };
    shellPackage = package;
    pkgs = attrs;
    enum =
      values:
      mkType {
        name = "enum";
        description = "one of ${lib.concatMapStringsSep ", " lib.showValue values}";
        check = x: builtins.elem x values;
      };
    listOf =
      elem:
      wrapping listOf elem {
        name = "listOf";
        description = "list of ${elem.description}";
        check = builtins.isList;
        emptyValue.value = [ ];
        merge =
          loc: defs:
          map (m: m.value) (
            builtins.filter (m: m.isDefined) (
              builtins.concatLists (
                lib.imap1 (
                  n: def:
                  lib.imap1 (
                    m: value:
                    mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elem [
                      {
                        inherit (def) file;
                        inherit value;
                      }
                    ]
                  ) def.value
                ) defs
              )
            )
          );
      };
    nonEmptyListOf = elem: addCheck (listOf elem) (x: x != [ ]) // { emptyValue = { }; };
    attrsOf = setOf "attribute set" false;
    lazyAttrsOf = setOf "lazy attribute set" true;
    loaOf = attrsOf;
    nullOr =
      elem:
      wrapping nullOr elem {
        name = "nullOr";
        description = "null or ${elem.description}";
        check = x: x == null || elem.check x;
        emptyValue.value = null;
        merge =
          loc: defs:
          let
            nulls = builtins.filter (def: def.value == null) defs;
          in
          if builtins.length nulls == builtins.length defs then
            null
          else if nulls != [ ] then
            throw "The option `${lib.showOption loc}' is defined both null and not null, in ${lib.showFiles (lib.getFiles defs)}."
          else
            elem.merge loc defs;
      };
    either =
      a: b:
      mkType {
        name = "either";
        description = "${a.description} or ${b.description}";
        check = x: a.check x || b.check x;
        merge =
          loc: defs:
          if builtins.all (def: a.check def.value) defs then
            a.merge loc defs
          else if builtins.all (def: b.check def.value) defs then
            b.merge loc defs
          else
            mergeOneOption loc defs;
      };
    oneOf = types: builtins.foldl' either (builtins.head types) (builtins.tail types);
    coercedTo =
      from: coerce: to:
      mkType {
        name = "coercedTo";
        description = "${to.description} or ${from.description} convertible to it";
        check = x: (from.check x && to.check (coerce x)) || to.check x;
        emptyValue = to.emptyValue or { };
        merge =
          loc: defs:
          let
            coerced = value: if from.check value then coerce value else value;
          in
          to.merge loc (map (def: def // { value = coerced def.value; }) defs);
      };
    uniq = elem: elem // { merge = mergeOneOption; };
    unique = _: uniq;
    addCheck = elem: check: elem // { check = x: elem.check x && check x; };
    functionTo =
      elem:
      mkType {
        name = "functionTo";
        description = "function that evaluates to a(n) ${elem.description}";
        check = lib.isFunction;
        merge =
          loc: defs: argument:
          (mergeDefinitions (loc ++ [ "<function body>" ]) elem (
            map (def: def // { value = def.value argument; }) defs
          )).value;
      };
    deferredModule = mkType {
      name = "deferredModule";
      description = "module";
      check = x: builtins.isAttrs x || lib.isFunction x || path.check x;
      merge = _: defs: { imports = map (def: lib.setDefaultModuleLocation def.file def.value) defs; };
    };
    optionType = mkType {
      name = "optionType";
      check = x: x._type or null == "option-type";
    };
    submodule =
      modules:
      submoduleWith {
        modules = lib.toList modules;
        shorthandOnlyDefinesConfig = true;
      };
    submoduleWith =
      {
        modules,
        specialArgs ? { },
        shorthandOnlyDefinesConfig ? false,
        description ? "submodule",
        class ? null,
      }@args:
      let
        evalFor =
          loc: definitions:
          lib.evalModules {
            inherit specialArgs;
            prefix = loc;
            args.name = lib.last ([ "" ] ++ loc);
            modules = modules ++ definitions;
          };
      in
      mkType {
        name = "submodule";
        inherit description;
        check = x: builtins.isAttrs x || lib.isFunction x || path.check x;
        emptyValue.value = { };
        mergeWith = other: submoduleWith (args // { modules = modules ++ other.getSubModules; });
        getSubModules = modules;
        getSubOptions = prefix: (evalFor prefix [ ]).options;
        merge =
          loc: defs:
          (evalFor loc (
            map (
              def:
              if shorthandOnlyDefinesConfig && builtins.isAttrs def.value then
                {
                  _file = def.file;
                  config = def.value;
                }
              else
                {
                  _file = def.file;
                  imports = [ def.value ];
                }
            ) defs
          )).config;
      };
  };
in
t
