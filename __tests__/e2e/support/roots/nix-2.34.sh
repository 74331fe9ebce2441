# shellcheck shell=bash
# Nix 2.34 of Debian sid.
relocated_nix sid /opt/nix/2.34
