# shellcheck shell=sh
# setup-etc.sh ETC: makes /etc/static a link to ETC and every file of ETC one in /etc.
#
# A stand-in machine is a Debian with files of its own in /etc, some of which keep it reachable: a file that is there
# and is no link to /etc/static is left as it is.
set -eu
etc=$1
old=$(readlink /etc/static || true)

ln -sfn "$etc" /etc/.static.tmp
mv -T /etc/.static.tmp /etc/static


# One link or copy; names come from the table of the `etc` derivation and have no blanks.
place() {
  target=/etc/$1
  if [ -e "$etc/$1.mode" ]; then
    read -r mode owner < "$etc/$1.mode"
    if [ -e "$target" ] && ! [ -L "$target" ] && ! grep -qxF "$1" /etc/.clean 2> /dev/null; then return; fi
    mkdir -p "${target%/*}"
    cp "$etc/$1" "$target.tmp"
    chown "$owner" "$target.tmp"
    chmod "$mode" "$target.tmp"
    mv "$target.tmp" "$target"
    echo "$1" >> /etc/.clean.tmp
    return
  fi
  if [ -L "$target" ]; then
    case $(readlink "$target") in
    "/etc/static/$1") return ;;
    /etc/static/*) ;;
    *) return ;;
    esac
  elif [ -e "$target" ]; then
    return
  fi
  mkdir -p "${target%/*}"
  ln -sfn "/etc/static/$1" "$target.tmp"
  mv -T "$target.tmp" "$target"
}

: > /etc/.clean.tmp
cd "$etc"
find . ! -type d ! -name '*.mode' | sed 's|^\./||' | while read -r name; do place "$name"; done

# What the former generation had and this one has not.
if [ -n "$old" ] && [ -d "$old" ]; then
  cd "$old"
  find . ! -type d ! -name '*.mode' | sed 's|^\./||' | while read -r name; do
    [ -L "$etc/$name" ] && continue
    if [ "$(readlink "/etc/$name")" = "/etc/static/$name" ] || grep -qxF "$name" /etc/.clean 2> /dev/null; then
      rm -f "/etc/$name"
      rmdir -p "/etc/$(dirname "$name")" 2> /dev/null || true
    fi
  done
fi
mv /etc/.clean.tmp /etc/.clean
