{
  config,
  options,
  lib,
  ...
}:
let
  cfg = config.nixpkgs;
  opt = options.nixpkgs;
  platform = lib.types.either lib.types.str lib.types.attrs;
  hostPlatform =
    if opt.hostPlatform.isDefined then
      cfg.hostPlatform
    else if cfg.crossSystem != null then
      cfg.crossSystem
    else if opt.localSystem.isDefined then
      cfg.localSystem
    else if opt.system.isDefined then
      cfg.system
    else
      throw "Neither ${opt.hostPlatform} nor the legacy option ${opt.system} has been set: write `nixpkgs.hostPlatform = \"aarch64-linux\";' in the host's configuration.";
  ownPkgs = import ../../.. {
    localSystem = lib.systems.elaborate hostPlatform;
    inherit (cfg) config overlays;
  };
in
{
  options.nixpkgs = {
    pkgs = lib.mkOption {
      type = lib.types.attrs;
      description = "The packages to use, instead of those made from the other options.";
    };
    config = lib.mkOption {
      type = lib.types.anything;
      default = { };
    };
    overlays = lib.mkOption {
      type = lib.types.listOf lib.types.raw;
      default = [ ];
    };
    hostPlatform = lib.mkOption {
      type = platform;
      description = "The platform of the machine, for example \"aarch64-linux\".";
    };
    buildPlatform = lib.mkOption { type = platform; };
    localSystem = lib.mkOption { type = platform; };
    crossSystem = lib.mkOption {
      type = lib.types.nullOr platform;
      default = null;
    };
    system = lib.mkOption { type = lib.types.str; };
    flake = lib.mkOption {
      type = lib.types.attrs;
      default = { };
    };
  };
  config._module.args.pkgs =
    if opt.pkgs.isDefined then cfg.pkgs.appendOverlays cfg.overlays else ownPkgs;
}
