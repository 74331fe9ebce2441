# Plain configuration.nix files and one pinned nixpkgs.
{ request, glue }:
let
  inherit (glue request)
    answer
    evalConfigOf
    evaluated
    file
    find
    nixpkgsFor
    ;
  asked = (glue request).request;

  # The default of eval-config.nix; it is the final value only if the configuration does not define its system.
  undefinedSystem = "undefined-by-the-configuration";

  evaluate =
    path:
    evalConfigOf (nixpkgsFor "configuration.nix") {
      modules = [ (file path) ];
      system = if asked.system == null then undefinedSystem else asked.system;
    };
  definesSystem =
    evaluation:
    let
      options = find { } [ "options" "nixpkgs" ] evaluation;
    in
    asked.system != null
    || find false [ "hostPlatform" "isDefined" ] options
    || find 1500 [ "localSystem" "highestPrio" ] options < 1500
    || find undefinedSystem [ "config" "nixpkgs" "system" ] evaluation != undefinedSystem;
  checked =
    name: evaluation:
    if definesSystem evaluation then
      evaluation
    else
      throw "the configuration of ${builtins.toJSON name} does not define its system: set nixpkgs.hostPlatform, or the input `system`";

  evaluations =
    if asked.single != null then
      let
        evaluation = evaluate asked.single;
        hostName = find "" [ "config" "networking" "hostName" ] evaluation;
      in
      {
        ${if hostName == "" then asked.fallback else hostName} = evaluation;
      }
    else
      builtins.mapAttrs (_: evaluate) asked.fileOf;
in
answer {
  names = builtins.attrNames evaluations;
  root = asked.root;
  host = name: evaluated name (checked name (builtins.getAttr name evaluations));
}
