# The builder of everything: a static busybox, run from the source tree.
{
  lib,
  buildPlatform,
  hostPlatform,
}:
let
  inherit (hostPlatform) system;
  directory = ../bootstrap + "/${system}";
  bootstrap =
    if builtins.pathExists (directory + "/busybox") then
      # busybox looks at the name it is called by, so it must be in a directory, not a store path itself.
      builtins.path {
        path = directory;
        name = "bootstrap-busybox";
      }
    else
      throw (
        "${toString directory}/busybox is missing: run `fetch-bootstrap.sh ${toString ../bootstrap}', "
        + "and in a Git repository add what it fetched"
      );

  # Busybox as a package: bin/ with a link for each of its programs. Its shell would start them as /proc/self/exe with
  # another name, which is lost under an emulator that was registered without the flag P. With a wrong path in place of
  # /proc/self/exe, it searches PATH like other shells.
  busybox =
    derivation {
      name = "busybox-static";
      inherit system;
      builder = "${bootstrap}/busybox";
      args = [
        "sh"
        "-euc"
        ''
          b=${bootstrap}/busybox
          $b mkdir -p $out/bin
          $b cp $b $out/bin/busybox
          # A copy from the store is read-only, so only root could change it.
          $b chmod u+w $out/bin/busybox
          # One process makes all links; it prints that `busybox` itself already exists.
          $out/bin/busybox --install -s $out/bin 2> /dev/null
          $b strings -t d $b | $b sed -n 's|^ *\([0-9]*\) /proc/self/exe$|\1|p' | while read -r at; do
            printf /none/such/exe | $b dd of=$out/bin/busybox bs=1 seek=$at conv=notrunc 2> /dev/null
          done
        ''
      ];
    }
    // {
      pname = "busybox";
      shellPath = "/bin/sh";
      meta.mainProgram = "busybox";
    };

  mkDerivation =
    arguments:
    let
      layer = if builtins.isFunction arguments then arguments else _: arguments;
      given = layer (given // { finalPackage = package; });
      name = given.name or "${given.pname}-${given.version or "0"}";
      inputs = given.nativeBuildInputs or [ ] ++ given.buildInputs or [ ];
      package =
        derivation (
          {
            inherit name system;
            builder = "${busybox}/bin/sh";
            args = [
              "-eu"
              (given.builder or ./build.sh)
            ];
            PATH = lib.makeBinPath ([ busybox ] ++ inputs);
          }
          // removeAttrs given [
            "args"
            "builder"
            "buildInputs"
            "meta"
            "nativeBuildInputs"
            "passthru"
          ]
        )
        // {
          pname = given.pname or (builtins.parseDrvName name).name;
          meta = given.meta or { };
          # `previous: { … }`, `final: previous: { … }` or a set.
          overrideAttrs =
            change:
            mkDerivation (
              final:
              let
                previous = layer final;
                changed = if builtins.isFunction change then change previous else change;
              in
              previous // (if builtins.isFunction changed then change final previous else changed)
            );
        }
        // given.passthru or { };
    in
    package;
in
{
  inherit
    busybox
    mkDerivation
    buildPlatform
    hostPlatform
    system
    ;
  targetPlatform = hostPlatform;
  isLinux = true;
  inherit (hostPlatform) isAarch64 isx86_64;
}
