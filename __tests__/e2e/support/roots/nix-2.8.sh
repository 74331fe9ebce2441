# shellcheck shell=bash
# Nix 2.8, as bookworm has it.
relocated_nix bookworm /opt/nix/2.8
