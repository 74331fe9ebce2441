# The attributes of a Nix file, by which its format is detected.
{ request, glue }:
let
  inherit (glue request) file;
  asked = (glue request).request;
  network = import (file asked.file);
  isFunction = builtins.isFunction network;
in
{
  names = {
    names = if isFunction then [ ] else builtins.attrNames (network.network or { });
    root = asked.root;
    notes = {
      inherit isFunction;
      top = if isFunction then [ ] else builtins.attrNames network;
    };
  };
}
