# The module system: modules in, one checked configuration out. Semantics and messages follow the NixOS manual,
# "Writing NixOS Modules"; the code is written from scratch.
lib:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    foldl'
    head
    isAttrs
    isBool
    length
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  inherit (lib)
    isOption
    showDefs
    showFiles
    showOption
    ;

  defaultPriority = 100;
  defaultOrder = 1000;
  isA = type: x: isAttrs x && x._type or null == type;

  # The definitions of a set of options as plain sets: conditions and priorities moved to the leaves.
  pushDown =
    value:
    if !isAttrs value then
      [ value ]
    else if value._type or null == "merge" then
      concatMap pushDown value.contents
    else if value._type or null == "if" then
      map (mapAttrs (_: mkIf value.condition)) (pushDown value.content)
    else if value._type or null == "override" then
      map (mapAttrs (_: mkOverride value.priority)) (pushDown value.content)
    else
      [ value ];

  pushDownDefs =
    loc: defs:
    concatMap (
      def:
      map (
        value:
        if isAttrs value then
          {
            inherit (def) file;
            inherit value;
          }
        else
          throw "The option path `${showOption loc}' is a set of options, but it is set to ${lib.showValue value} in `${toString def.file}'."
      ) (pushDown def.value)
    ) defs;

  byName =
    field: items:
    zipAttrsWith (_: values: values) (
      map (
        item:
        mapAttrs (_: value: {
          inherit (item) file;
          inherit value;
        }) item.${field}
      ) items
    );

  # The values of a definition of one option, with mkMerge and mkIf resolved.
  discharge =
    loc: value:
    if isA "merge" value then
      concatMap (discharge loc) value.contents
    else if isA "if" value then
      if !isBool value.condition then
        throw "`mkIf' of the option `${showOption loc}' was called with a condition that is not a Boolean."
      else if value.condition then
        discharge loc value.content
      else
        [ ]
    else
      [ value ];

  # @return { isDefined, value, priority }: `value` throws if there is no definition or the type is wrong.
  mergeDefinitions =
    loc: type: defs:
    let
      discharged = concatMap (
        def:
        map (value: {
          inherit (def) file;
          inherit value;
        }) (discharge loc def.value)
      ) defs;
      priorityOf = def: if isA "override" def.value then def.value.priority else defaultPriority;
      priority = foldl' (least: def: lib.min least (priorityOf def)) 9999 discharged;
      strip = def: if isA "override" def.value then def // { value = def.value.content; } else def;
      winners = map strip (filter (def: priorityOf def == priority) discharged);
      orderOf = def: if isA "order" def.value then def.value.priority else defaultOrder;
      ordered =
        if builtins.any (def: isA "order" def.value) winners then
          map (def: if isA "order" def.value then def // { value = def.value.content; } else def) (
            builtins.sort (a: b: orderOf a < orderOf b) winners
          )
        else
          winners;
      wrong = filter (def: !type.check def.value) ordered;
      isDefined = ordered != [ ];
    in
    {
      inherit isDefined priority;
      definitions = ordered;
      value =
        if !isDefined then
          type.emptyValue.value
            or (throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.")
        else if wrong != [ ] then
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}"
        else
          type.merge loc ordered;
    };

  mergeTypes =
    loc: a: b:
    if a.name != b.name then
      throw "The option `${showOption loc}' is declared with two types: `${a.description}' and `${b.description}'."
    else
      (a.mergeWith or (_: a)) b;

  # One option: its declarations [{ file, value }] and definitions [{ file, value }].
  evalOption =
    loc: declarations: definitions:
    let
      option = foldl' (
        merged: declaration:
        merged
        // declaration.value
        // (
          if merged ? type && declaration.value ? type then
            { type = mergeTypes loc merged.type declaration.value.type; }
          else
            { }
        )
      ) { } declarations;
      type = option.type or lib.types.unspecified;
      defaults = lib.optional (option ? default) {
        inherit (head declarations) file;
        value = mkOptionDefault option.default;
      };
      tooMany = option.readOnly or false && length definitions + length defaults > 1;
      merged = mergeDefinitions loc type (definitions ++ defaults);
      value =
        if tooMany then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs definitions}"
        else
          (option.apply or lib.id) merged.value;
    in
    option
    // {
      inherit loc type;
      inherit (merged) isDefined;
      value = builtins.addErrorContext "while evaluating the option `${showOption loc}':" value;
      highestPrio = merged.priority;
      declarations = lib.getFiles declarations;
      files = lib.getFiles merged.definitions;
      definitions = lib.getValues merged.definitions;
      definitionsWithLocations = merged.definitions;
      __toString = _: showOption loc;
    };

  # @return { options, config, unmatched } for one level of the tree.
  mergeLevel =
    prefix: declarations: definitions:
    let
      declared = byName "value" declarations;
      defined = byName "value" (pushDownDefs prefix definitions);
      levels = mapAttrs (
        name: decls:
        let
          loc = prefix ++ [ name ];
          defs = defined.${name} or [ ];
          options = filter (decl: isOption decl.value) decls;
          option = evalOption loc decls defs;
        in
        if options == [ ] then
          mergeLevel loc decls defs
        else if length options != length decls then
          throw "The option `${showOption loc}' in ${showFiles (lib.getFiles options)} is a prefix of options in ${
            showFiles (lib.getFiles (filter (decl: !isOption decl.value) decls))
          }."
        else
          {
            options = option;
            config = option.value;
            unmatched = [ ];
          }
      ) declared;
      unknown = removeAttrs defined (attrNames declared);
    in
    {
      options = mapAttrs (_: level: level.options) levels;
      config = mapAttrs (_: level: level.config) levels;
      unmatched =
        concatMap (
          name:
          map (def: {
            path = prefix ++ [ name ];
            inherit (def) file value;
          }) unknown.${name}
        ) (attrNames unknown)
        ++ concatMap (level: level.unmatched) (builtins.attrValues levels);
    };

  collect = import ./collect.nix lib;

  evalModules =
    {
      modules,
      specialArgs ? { },
      args ? { },
      prefix ? [ ],
      check ? true,
      class ? null,
    }@evalArgs:
    let
      own = {
        _file = "lib/modules.nix";
        key = "lib/modules.nix";
        options._module = {
          args = lib.mkOption {
            type = lib.types.lazyAttrsOf lib.types.raw;
            default = { };
          };
          check = lib.mkOption {
            type = lib.types.bool;
            default = check;
          };
          freeformType = lib.mkOption {
            type = lib.types.nullOr lib.types.raw;
            default = null;
          };
        };
        config._module.args = args;
      };
      moduleArgs = {
        inherit lib options;
        config = config // {
          inherit (tree.config) _module;
        };
      }
      // specialArgs;
      items = collect moduleArgs tree.config._module.args ([ own ] ++ modules);
      tree =
        mergeLevel prefix
          (map (item: {
            inherit (item) file;
            value = item.options;
          }) items)
          (
            map (item: {
              inherit (item) file;
              value = item.config;
            }) items
          );
      freeform = tree.config._module.freeformType;
      freeformConfig = freeform.merge prefix (
        map (def: {
          inherit (def) file;
          value = lib.setAttrByPath (lib.drop (length prefix) def.path) def.value;
        }) tree.unmatched
      );
      options = removeAttrs tree.options [ "_module" ];
      plain = removeAttrs tree.config [ "_module" ];
      # If undeclared values are allowed, looking up a name needs all definitions; otherwise names come from the options.
      config = if freeform == null then plain else lib.recursiveUpdate freeformConfig plain;
      first = head tree.unmatched;
      checked =
        if freeform == null && tree.config._module.check && tree.unmatched != [ ] then
          throw "The option `${showOption first.path}' does not exist. Definition values:${showDefs [ first ]}"
        else
          lib.id;
    in
    {
      inherit options class;
      config = checked config;
      _module = tree.config._module;
      type = lib.types.submoduleWith { inherit modules specialArgs; };
      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? [ ],
        }:
        evalModules (
          evalArgs
          // {
            modules = evalArgs.modules ++ modules;
            specialArgs = evalArgs.specialArgs or { } // specialArgs;
          }
        );
    };

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOptionDefault = mkOverride 1500;
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
in
{
  inherit
    evalModules
    mergeDefinitions
    mkIf
    mkMerge
    mkOptionDefault
    mkOrder
    mkOverride
    pushDownDefs
    defaultPriority
    ;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkAssert =
    condition: message: content:
    if condition then content else throw "\nFailed assertion: ${message}";
  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };
  mkRenamedOptionModule =
    from: to:
    { config, options, ... }:
    {
      options = lib.setAttrByPath from (
        lib.mkOption {
          type = lib.types.raw;
          description = "Alias of `${showOption to}'.";
        }
      );
      config = lib.mkIf (lib.getAttrFromPath from options).isDefined (
        lib.setAttrByPath to (
          lib.mkMerge (map (def: def.value) (lib.getAttrFromPath from options).definitionsWithLocations)
        )
      );
    };
  mkRemovedOptionModule =
    path: replacement:
    { options, ... }:
    {
      options = lib.setAttrByPath path (lib.mkOption { type = lib.types.raw; });
      config.assertions = [
        {
          assertion = !(lib.getAttrFromPath path options).isDefined;
          message = "The option definition `${showOption path}' no longer has any effect; please remove it.\n${replacement}";
        }
      ];
    };
}
