{
  services.static-web-server = {
    enable = true;
    listen = "127.0.0.1:8787";
    root = ../website;
  };
  networking.firewall.allowedTCPPorts = [ 8787 ];
}
