# What the miniature's module system makes of modules: `values` hold it, each of `errors` fails.
{ nixpkgs }:
let
  lib = import (nixpkgs + "/lib");
  inherit (lib) mkOption types;
  evaluate = modules: (lib.evalModules { inherit modules; }).config;
  of =
    type: definitions: (evaluate ([ { options.o = mkOption { inherit type; }; } ] ++ definitions)).o;
  user =
    { name, ... }:
    {
      options.name = mkOption {
        type = types.str;
        default = name;
      };
      options.groups = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
    };
in
{
  values = {
    priorities = of types.int [
      { o = 1; }
      { o = lib.mkDefault 2; }
      { o = lib.mkForce 3; }
    ];
    default =
      (evaluate [
        {
          options.o = mkOption {
            type = types.int;
            default = 4;
          };
        }
      ]).o;
    lists = of (types.listOf types.int) [
      { o = [ 2 ]; }
      { o = lib.mkBefore [ 1 ]; }
      { o = lib.mkAfter [ 3 ]; }
      { o = lib.mkIf false [ 9 ]; }
    ];
    lines = of types.lines [ { o = lib.mkMerge [ (lib.mkIf true "only") ]; } ];
    submodules = of (types.attrsOf (types.submodule user)) [
      { o.ada.groups = [ "wheel" ]; }
      { o.ben = { }; }
    ];
    conditionOverMany = evaluate [
      {
        options.a = mkOption { type = types.int; };
        options.b = mkOption { type = types.bool; };
        config = lib.mkIf true {
          a = 1;
          b = lib.mkDefault false;
        };
      }
      { b = true; }
    ];
    imports = evaluate [
      {
        imports = [
          (
            { config, ... }:
            {
              options.twice = mkOption { type = types.int; };
              config.twice = config.once * 2;
            }
          )
        ];
        options.once = mkOption { type = types.int; };
        config.once = 21;
      }
    ];
    typesOfBothDeclarations = of (types.attrsOf (types.submodule user)) [
      {
        options.o = mkOption {
          type = types.attrsOf (types.submodule { options.shell = mkOption { type = types.str; }; });
        };
        config.o.ada.shell = "sh";
      }
    ];
    freeform =
      (evaluate [
        {
          options.settings = mkOption {
            type = types.submodule {
              freeformType = types.attrsOf types.int;
              options.known = mkOption {
                type = types.str;
                default = "here";
              };
            };
          };
          config.settings.other = 5;
        }
      ]).settings;
    nullable = of (types.nullOr types.str) [ { o = null; } ];
    either = of (types.either types.int types.str) [ { o = "text"; } ];
    coerced = of (types.coercedTo types.str lib.toInt types.int) [ { o = "8"; } ];
  };
  errors = {
    wrongType = of types.int [
      {
        _file = "hosts/web.nix";
        o = "text";
      }
    ];
    unknown = evaluate [
      {
        _file = "hosts/web.nix";
        servcies.nginx.enable = true;
      }
    ];
    conflict = of types.str [
      {
        _file = "a.nix";
        o = "x";
      }
      {
        _file = "b.nix";
        o = "y";
      }
    ];
    missing = of types.str [ ];
    notInEnum = of (types.enum [
      "a"
      "b"
    ]) [ { o = "c"; } ];
    readOnly =
      (evaluate [
        {
          options.o = mkOption {
            type = types.int;
            readOnly = true;
            default = 1;
          };
          config.o = 2;
        }
      ]).o;
    mixed = evaluate [
      {
        options.o = mkOption { type = types.int; };
        o = 1;
      }
    ];
    port = of types.port [ { o = 70000; } ];
    recursion =
      (evaluate [
        (
          { config, ... }:
          {
            options.o = mkOption { type = types.int; };
            config.o = config.o + 1;
          }
        )
      ]).o;
    assertion =
      (import (nixpkgs + "/nixos") {
        system = "x86_64-linux";
        configuration.assertions = [
          {
            assertion = false;
            message = "two is not one";
          }
        ];
      }).system.drvPath;
    noSystem =
      (import (nixpkgs + "/nixos/lib/eval-config.nix") {
        system = null;
        modules = [ ];
      }).config.system.build.toplevel.drvPath;
    otherSystem = (import nixpkgs { system = "riscv64-linux"; }).hello.drvPath;
  };
}
