# The small builders that NixOS modules call.
pkgs:
let
  inherit (pkgs) lib stdenv;
in
rec {
  runCommand =
    name: env: buildCommand:
    stdenv.mkDerivation (
      {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ env.passAsFile or [ ];
      }
      // removeAttrs env [ "passAsFile" ]
    );
  runCommandLocal = runCommand;
  runCommandNoCC = runCommand;
  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
      ...
    }:
    runCommand name
      {
        inherit text meta;
        passAsFile = [ "text" ];
      }
      ''
        target=$out${lib.escapeShellArg destination}
        mkdir -p "$(dirname "$target")"
        cp "$textPath" "$target"
        ${lib.optionalString executable ''chmod +x "$target"''}
      '';
  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
    };
  writeShellScript = name: text: writeScript name "#!${pkgs.runtimeShell}\n${text}";
  writeShellScriptBin = name: text: writeScriptBin name "#!${pkgs.runtimeShell}\n${text}";
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      ...
    }:
    writeShellScriptBin name ''
      set -eu
      export PATH="${lib.makeBinPath runtimeInputs}:$PATH"
      ${text}
    '';
  # A tree of links to all files of several packages; if two have the same path, the first one is used.
  symlinkJoin =
    { name, paths, ... }:
    buildEnv { inherit name paths; };
  buildEnv =
    {
      name,
      paths,
      pathsToLink ? [ "/" ],
      ...
    }:
    runCommand name { inherit paths pathsToLink; } ''
      mkdir $out
      for package in $paths; do
        for part in $pathsToLink; do
          test -d "$package$part" || continue
          cd "$package"
          find ".$part" -type d | while read -r directory; do
            mkdir -p "$out/$directory"
            # ln keeps existing links, those of earlier packages, and prints a message for each.
            find "$package/''${directory#./}" -maxdepth 1 -mindepth 1 ! -type d -print0 |
              xargs -0 -r sh -c 'ln -s "$@" "$0" 2> /dev/null || true' "$out/$directory"
          done
        done
      done
    '';
  linkFarm =
    name: entries:
    runCommand name { } (
      "mkdir -p $out\ncd $out\n"
      +
        lib.concatMapStrings
          (entry: ''
            mkdir -p "$(dirname ${lib.escapeShellArg entry.name})"
            ln -s ${lib.escapeShellArg "${entry.path}"} ${lib.escapeShellArg entry.name}
          '')
          (
            if builtins.isAttrs entries then
              lib.mapAttrsToList (name: path: { inherit name path; }) entries
            else
              entries
          )
    );
}
