{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  # Text without store paths needs no builder: a host has many such files, and emulated builds are slow.
  writeText =
    name: text:
    if builtins.hasContext text then pkgs.writeText name text else builtins.toFile name text;
  entry = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
        };
        target = mkOption {
          type = types.str;
          default = name;
          description = "Path relative to /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
        };
        source = mkOption { type = types.either types.path types.str; };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          description = "`symlink`, or the mode of a copy.";
        };
        user = mkOption {
          type = types.str;
          default = "root";
        };
        group = mkOption {
          type = types.str;
          default = "root";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        lib.mkDefault (
          writeText "etc-${builtins.replaceStrings [ "@" ] [ "-" ] (baseNameOf name)}" config.text
        )
      );
    }
  );
  entries = builtins.filter (e: e.enable) (builtins.attrValues config.environment.etc);
in
{
  options.environment.etc = mkOption {
    type = types.attrsOf entry;
    default = { };
    description = "Files of /etc.";
  };

  config.system.build.etc =
    pkgs.runCommand "etc"
      {
        # Each line: target, source, mode and owner of an entry; targets contain no blanks.
        table = lib.concatMapStrings (
          e: "${e.target} ${e.source} ${e.mode} ${e.user}:${e.group}\n"
        ) entries;
        passAsFile = [ "table" ];
      }
      ''
        mkdir -p $out/etc
        while read -r target source mode owner; do
          mkdir -p "$out/etc/$(dirname "$target")"
          ln -s "$source" "$out/etc/$target"
          test "$mode" = symlink || printf '%s %s\n' "$mode" "$owner" > "$out/etc/$target.mode"
        done < "$tablePath"
      '';
}
