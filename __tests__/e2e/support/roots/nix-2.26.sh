# shellcheck shell=bash
# Nix 2.26, as trixie has it.
relocated_nix trixie /opt/nix/2.26
