# Which outputs of a flake say what it is: asked before the format is known.
{ request, glue }:
let
  inherit (glue request) answer;
  flake = builtins.getFlake (glue request).request.reference;
in
answer {
  names = builtins.attrNames flake;
  root = flake.sourceInfo.outPath;
  host = _: throw "not a host";
}
