# Plain configuration.nix files, left untouched, and one pinned nixpkgs.
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

  # Stands where eval-config.nix wants a default; met only where nothing says the system.
  unsaid = "unsaid-by-the-configuration";

  evaluate =
    path:
    evalConfigOf (nixpkgsFor "configuration.nix") {
      modules = [ (file path) ];
      system = if asked.system == null then unsaid else asked.system;
    };
  saysSystem =
    evaluation:
    let
      options = find { } [ "options" "nixpkgs" ] evaluation;
    in
    asked.system != null
    || find false [ "hostPlatform" "isDefined" ] options
    || find 1500 [ "localSystem" "highestPrio" ] options < 1500
    || find unsaid [ "config" "nixpkgs" "system" ] evaluation != unsaid;
  checked =
    name: evaluation:
    if saysSystem evaluation then
      evaluation
    else
      throw "the configuration of ${builtins.toJSON name} does not say its system (nixpkgs.hostPlatform)";

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
