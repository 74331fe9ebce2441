# A unit that writes the name and the processor of its machine to a file.
{ config, pkgs, ... }:
{
  environment.etc."greeting".text = "Welcome to ${config.networking.hostName}.\n";

  systemd.services.greeting = {
    description = "Greets";
    wantedBy = [ "multi-user.target" ];
    path = [ pkgs.hello ];
    script = ''
      { hello; cat /etc/greeting; uname -m; } > /run/greeting
    '';
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
    restartTriggers = [ config.environment.etc."greeting".source ];
  };
}
