# shellcheck shell=sh
# setup-etc.sh ETC: links /etc/static to ETC, and links or copies every file of ETC into /etc.
#
# A simulated machine is a Debian with its own files in /etc, some of which keep it reachable: an existing file that is not
# a link to /etc/static is not changed.
set -eu
etc=$1
old=$(readlink /etc/static || true)

ln -sfn "$etc" /etc/.static.tmp
mv -T /etc/.static.tmp /etc/static


# Makes one link or copy; names come from the table of the `etc` derivation and contain no blanks.
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

# Files of the previous generation that this one does not have.
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
