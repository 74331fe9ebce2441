# A flake's nixosConfigurations; targets and tags from `ferry.<host>` in its outputs.
{ request, glue }:
let
  inherit (glue request) answer evaluated find;
  inherit (builtins.fromJSON request) reference;
  flake = builtins.getFlake reference;
  configurations = flake.nixosConfigurations or { };
in
answer {
  names = builtins.attrNames configurations;
  root = flake.outPath;
  notes.outputs = builtins.attrNames (flake.outputs or flake);
  host = name: evaluated name (builtins.getAttr name configurations);
  deployment = name: find null [ "ferry" name ] flake;
}
