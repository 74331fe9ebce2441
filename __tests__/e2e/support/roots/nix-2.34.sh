# shellcheck shell=bash
# Nix 2.34, as sid has it.
relocated_nix sid /opt/nix/2.34
