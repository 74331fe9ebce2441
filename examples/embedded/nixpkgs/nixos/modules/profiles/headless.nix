{
  boot.kernelParams = [ "panic=1" ];
}
