# What stands in for deploy-rs' flake (d5eff7f), whose own program needs a Rust compiler: the packages that its
# `lib.<system>.activate.nixos` and `.custom` make, under the same names, with the same files and the same references: a
# buildEnv of the toplevel and two scripts that are called after it. Not its program, which `activate-rs` starts, nor its
# checks, its overlay, or its other kinds of profiles.
{
  description = "Packages in the form of deploy-rs' profiles, without deploy-rs' program";

  inputs.nixpkgs.url = "nixpkgs";

  outputs = { nixpkgs, ... }: {
    lib = builtins.mapAttrs (
      _: pkgs:
      let
        script =
          base: kind: destination: text:
          pkgs.writeTextFile {
            name = "${base.name}-${kind}";
            inherit text destination;
            executable = true;
          };
        custom =
          base: activate:
          pkgs.buildEnv {
            name = "activatable-${base.name}";
            paths = [
              base
              (script base "activate-path" "/deploy-rs-activate" activate)
              (script base "activate-rs" "/activate-rs" "exec activate \"$@\"")
            ];
          };
      in
      {
        activate = {
          inherit custom;
          nixos =
            base: custom base.config.system.build.toplevel "$PROFILE/bin/switch-to-configuration switch";
        };
      }
    ) nixpkgs.legacyPackages;
  };
}
