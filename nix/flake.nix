# A flake's nixosConfigurations; targets and tags from `ferry.<host>` in its outputs.
{ request, glue }:
let
  inherit (glue request) answer evaluated find;
  flake = builtins.getFlake (glue request).request.reference;
  configurations = flake.nixosConfigurations or { };
in
answer {
  names = builtins.attrNames configurations;
  root = flake.sourceInfo.outPath;
  host = name: evaluated name (builtins.getAttr name configurations);
  deployment = name: find null [ "ferry" name ] flake;
}
