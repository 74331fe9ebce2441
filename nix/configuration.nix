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

  evaluateFor =
    system: path:
    evalConfigOf (nixpkgsFor "configuration.nix") {
      modules = [ (file path) ];
      inherit system;
    };
  # Each file is evaluated once, however often it is asked for. Without the input `system`, a default that every nixpkgs accepts:
  # it is never used, since `checked` refuses a host without a system.
  paths = if asked.single != null then [ asked.single ] else builtins.attrValues asked.fileOf;
  evaluations = builtins.listToAttrs (
    map (path: {
      name = path;
      value = evaluateFor (if asked.system == null then "x86_64-linux" else asked.system) path;
    }) paths
  );
  evaluate = path: builtins.getAttr path evaluations;
  # eval-config.nix defines nixpkgs.system with the priority of mkDefault, 1000. Nixpkgs before 18.03 does not report priorities.
  definesSystem =
    path:
    let
      options = find { } [ "options" "nixpkgs" ] (evaluate path);
      undefined = "undefined-by-the-configuration";
      isOwn =
        if options ? system.highestPrio then
          options.system.highestPrio < 1000
        else
          find undefined [ "config" "nixpkgs" "system" ] (evaluateFor undefined path) != undefined;
    in
    asked.system != null
    || find false [ "hostPlatform" "isDefined" ] options
    || find 1500 [ "localSystem" "highestPrio" ] options < 1500
    || isOwn;
  checked =
    name: path:
    if definesSystem path then
      evaluate path
    else
      throw "'${path}' does not define the system of ${builtins.toJSON name}: set nixpkgs.hostPlatform, or the input `system`";

  files =
    if asked.single != null then
      let
        hostName = find "" [ "config" "networking" "hostName" ] (evaluate asked.single);
      in
      {
        ${if hostName == "" then asked.fallback else hostName} = asked.single;
      }
    else
      asked.fileOf;
in
answer {
  names = builtins.attrNames files;
  root = asked.root;
  host = name: evaluated name (checked name (builtins.getAttr name files));
}
