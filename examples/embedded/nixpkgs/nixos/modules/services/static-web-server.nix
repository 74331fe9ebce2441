{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.static-web-server;
in
{
  options.services.static-web-server = {
    enable = lib.mkEnableOption "a web server for a folder of files";
    listen = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1:8787";
      description = "Address and port.";
    };
    root = lib.mkOption {
      type = lib.types.path;
      description = "The folder.";
    };
  };
  config.systemd.services.static-web-server = lib.mkIf cfg.enable {
    description = "Web server";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    serviceConfig.ExecStart = "${pkgs.static-web-server}/bin/static-web-server ${cfg.listen} ${cfg.root}";
  };
}
