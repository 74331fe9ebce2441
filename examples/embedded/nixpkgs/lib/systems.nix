lib: rec {
  # The bootstrap directory has a busybox for each.
  supported = [
    "aarch64-linux"
    "x86_64-linux"
  ];
  # From "x86_64-linux" or { system = "x86_64-linux"; … } (older: { config = "x86_64-unknown-linux-gnu"; }) to a platform.
  elaborate =
    platform:
    let
      set = if builtins.isString platform then { system = platform; } else platform;
      words = lib.splitString "-" set.config;
      system =
        set.system or (
          if set ? config then
            "${builtins.head words}-linux"
          else
            throw "a platform needs `system', for example { system = \"aarch64-linux\"; }"
        );
      cpu = builtins.head (lib.splitString "-" system);
    in
    if !builtins.elem system supported then
      throw "unsupported system `${system}': this nixpkgs supports ${builtins.concatStringsSep " and " supported}"
    else
      {
        config = "${cpu}-unknown-linux-gnu";
        isLinux = true;
        isDarwin = false;
        isx86_64 = cpu == "x86_64";
        isAarch64 = cpu == "aarch64";
        is64bit = true;
        linuxArch = if cpu == "aarch64" then "arm64" else cpu;
        parsed.cpu.name = cpu;
        inherit system;
      }
      // removeAttrs set [ "config" ];
  examples = {
    aarch64-multiplatform.config = "aarch64-unknown-linux-gnu";
    gnu64.config = "x86_64-unknown-linux-gnu";
  };
}
