# A unit that leaves a line of its machine's own making: its name and its processor.
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
