# What users do to packages, done to the miniature's.
{ nixpkgs }:
let
  overlay = final: previous: {
    mine = previous.stdenv.mkDerivation (finalAttrs: {
      pname = "mine";
      version = "1";
      buildCommand = "echo ${finalAttrs.version} > $out";
    });
    newer = final.mine.overrideAttrs { version = "2"; };
    called = final.callPackage (
      {
        runCommand,
        newer,
        suffix ? "?",
      }:
      runCommand "called" { } "{ cat ${newer}; echo ${suffix}; } > $out"
    ) { suffix = "!"; };
    joined = previous.buildEnv {
      name = "joined";
      paths = [
        previous.hello
        previous.busybox
      ];
    };
    told = previous.runCommand "told" {
      nativeBuildInputs = [ final.joined ];
    } "{ hello; cat ${final.called}; } > $out";
  };
in
(import nixpkgs {
  system = "x86_64-linux";
  overlays = [ overlay ];
}).told
