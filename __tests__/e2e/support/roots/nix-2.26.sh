# shellcheck shell=bash
# Nix 2.26 of Debian trixie.
relocated_nix trixie /opt/nix/2.26
