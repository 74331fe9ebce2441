# shellcheck shell=sh
# The part of grub-editenv that is needed: `FILE unset NAME`.
if [ "${2-}" != unset ] || [ -z "${3-}" ]; then
  echo "Usage: grub-editenv FILE unset NAME" >&2
  exit 1
fi
[ -e "$1" ] || exit 0
{
  grep -v "^$3=" "$1" | tr -d '#' | sed 's/^ GRUB/# GRUB/'
  printf '%01024d' 0 | tr 0 '#'
} | head -c 1024 > "$1.new"
mv "$1.new" "$1"
