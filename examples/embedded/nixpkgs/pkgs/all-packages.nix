pkgs:
let
  inherit (pkgs) lib stdenv;
in
rec {
  inherit (stdenv) busybox;
  bash = busybox;
  bashInteractive = busybox;
  coreutils = busybox;
  gnugrep = busybox;
  gnused = busybox;
  gawk = busybox;
  findutils = busybox;
  curl = busybox;
  runtimeShell = "${busybox}/bin/sh";

  # Data that does not depend on the system: the hosts of all systems share one store path.
  tzdata = builtins.path {
    path = ./tzdata;
    name = "tzdata";
  };

  hello-data = pkgs.runCommand "hello-data" { } ''
    mkdir -p $out/share/hello
    echo "Hello, world!" > $out/share/hello/greeting
  '';
  hello = stdenv.mkDerivation {
    pname = "hello";
    version = "2.12";
    src = ./hello;
    data = hello-data;
    shell = pkgs.runtimeShell;
    installPhase = ''
      mkdir -p $out/bin
      sed -e "s|@shell@|$shell|" -e "s|@data@|$data|" hello.sh.in > $out/bin/hello
      chmod +x $out/bin/hello
    '';
  };

  # A file server: busybox's httpd.
  static-web-server = pkgs.writeShellScriptBin "static-web-server" ''
    exec ${busybox}/bin/httpd -f -p "$1" -h "$2"
  '';

  linux = pkgs.runCommand "linux-6.12" { passthru.modDirVersion = "6.12"; } ''
    mkdir $out
    echo "not a real kernel" > $out/${if stdenv.isAarch64 then "Image" else "bzImage"}
  '';
  linuxPackages = {
    kernel = linux;
    recurseForDerivations = false;
  };
  linuxPackages_latest = linuxPackages;
  linuxPackages_rpi4 = linuxPackages;
  nix = busybox // {
    version = "0";
  };
}
