# The names of a flake's outputs, by which its format is detected.
{ request, glue }:
let
  inherit (glue request) answer;
  flake = builtins.getFlake (glue request).request.reference;
in
answer {
  # Without the metadata of the flake, such as lastModified.
  names = builtins.attrNames flake.outputs;
  root = flake.sourceInfo.outPath;
  host = _: throw "not a host";
}
