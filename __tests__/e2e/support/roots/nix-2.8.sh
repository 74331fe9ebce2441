# shellcheck shell=bash
# Nix 2.8 of Debian bookworm.
relocated_nix bookworm /opt/nix/2.8
