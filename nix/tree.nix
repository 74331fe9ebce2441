# Copies a work tree with its uncommitted changes, or a folder outside Git, to the store as Nix does for a flake.
{ request, glue }:
let
  inherit (glue request) file;
  asked = (glue request).request;
in
{
  names = {
    names = [ ];
    root =
      if asked.url == null then
        builtins.path {
          path = file asked.folder;
          name = "source";
        }
      else
        (builtins.fetchGit { inherit (asked) url submodules; }).outPath;
    notes = { };
  };
}
