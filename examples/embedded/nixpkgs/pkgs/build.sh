# shellcheck shell=sh disable=SC1090,SC2154,SC2034
# How a package is built: its `buildCommand`, or its `src` unpacked, then `buildPhase` and `installPhase`.
# Nix gives these as variables; `out` is where the result goes.
if [ -n "${textPath-}" ]; then
  text=$(cat "$textPath"; echo .)
  text=${text%.}
fi
if [ -n "${buildCommandPath-}" ]; then
  . "$buildCommandPath"
elif [ -n "${buildCommand-}" ]; then
  eval "$buildCommand"
else
  if [ -n "${src-}" ]; then
    mkdir source
    if [ -d "$src" ]; then cp -r "$src/." source; else cp "$src" source; fi
    chmod -R u+w source
    cd source || exit
  fi
  eval "${buildPhase-}"
  eval "${installPhase-}"
fi
