# The folder of a pinned nixpkgs: of a pin next to a source, or of the input `nixpkgs`.
{ request, glue }:
let
  inherit (glue request) file;
  asked = (glue request).request;

  # npins/default.nix and niv's nix/sources.nix evaluate to a set of sources.
  source =
    sources:
    sources.nixpkgs or (
      let
        names = builtins.filter (name: builtins.match "__.*" name == null) (builtins.attrNames sources);
      in
      if builtins.length names == 1 then
        builtins.getAttr (builtins.head names) sources
      else
        throw "${asked.path} does not pin nixpkgs, only ${builtins.concatStringsSep ", " names}"
    );

  # flake.lock: the input nixpkgs of the root, or the input that it follows.
  lock = builtins.fromJSON (builtins.readFile (file asked.path));
  node = name: builtins.getAttr name lock.nodes;
  follow =
    start: path:
    builtins.foldl' (
      name: input:
      let
        next = (node name).inputs.${input} or (throw "${asked.path} has no input ${input}");
      in
      if builtins.isList next then follow lock.root next else next
    ) start path;
  locked = (node (follow lock.root [ "nixpkgs" ])).locked;

  folderOf =
    value:
    if builtins.isFunction value then
      folderOf (value { })
    else if builtins.isAttrs value && !(value ? outPath) then
      folderOf (value.path or (source value))
    else
      toString value;
  folder = {
    sources = folderOf (source (import (file asked.path)));
    lock =
      if locked.type == "path" && builtins.substring 0 1 locked.path != "/" then
        toString (file "${builtins.dirOf asked.path}/${locked.path}")
      else
        toString (builtins.fetchTree locked);
    file = folderOf (import (file asked.path));
    # Before Nix 2.19 only a flake can be fetched by its reference; nixpkgs is a flake since 20.09.
    reference = toString (
      if builtins ? parseFlakeRef then
        builtins.fetchTree (builtins.parseFlakeRef asked.path)
      else
        (builtins.getFlake asked.path).outPath
    );
  };
in
{
  names = {
    names = [ ];
    root = builtins.getAttr asked.kind folder;
    notes = { };
  };
}
