# The part of nixpkgs' library that configurations of small machines use, with the same names.
let
  fix =
    layer:
    let
      final = layer final // {
        extend = overlay: fix (self: layer self // overlay self (layer self));
      };
    in
    final;
in
fix (
  lib:
  let
    parts = {
      trivial = import ./trivial.nix lib;
      lists = import ./lists.nix lib;
      attrsets = import ./attrsets.nix lib;
      strings = import ./strings.nix lib;
      options = import ./options.nix lib;
      modules = import ./modules.nix lib;
    };
  in
  parts
  // parts.trivial
  // parts.lists
  // parts.attrsets
  // parts.strings
  // parts.options
  // parts.modules
  // {
    types = import ./types.nix lib;
    systems = import ./systems.nix lib;
    asserts.assertMsg = condition: message: condition || throw message;
    inherit (lib.asserts) assertMsg;
    licenses = { };
    maintainers = { };
    platforms.linux = lib.systems.supported;
  }
)
