# shellcheck shell=sh disable=SC1090,SC2154,SC2034
# Builds a package: runs its `buildCommand`, or unpacks `src` and runs `buildPhase` and `installPhase`.
# Nix passes these as variables; `out` is the path of the result.
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
