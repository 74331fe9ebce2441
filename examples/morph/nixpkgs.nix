# nixos-25.05 of 2026-01-02. To update, replace the commit, and the hash with what `nix-prefetch-url --unpack <url>` prints.
fetchTarball {
  url = "https://github.com/NixOS/nixpkgs/archive/ac62194c3917d5f474c1a844b6fd6da2db95077d.tar.gz";
  sha256 = "0v6bd1xk8a2aal83karlvc853x44dg1n4nk08jg3dajqyy0s98np";
}
