# A derivation whose builder is the program of src/setup/probe-program.ts: it fails if it can open the file `outside`, and its
# output names the machine it ran on. `outside` is different in each run, so that no earlier output is reused.
{
  system,
  program,
  outside,
}:
derivation {
  name = "nix-ferry-probe";
  inherit system;
  builder = builtins.path {
    path = /. + program;
    name = "nix-ferry-probe-program";
  };
  args = [
    (builtins.placeholder "out")
    outside
  ];
}
