#! @shell@
# shellcheck shell=sh disable=SC1008,SC2239,SC2123
# The first program of a system that boots: activates it, then executes the machine's systemd.
PATH=@tools@
export PATH
mkdir -p /run
ln -sfn @out@ /run/booted-system
@out@/activate @out@
exec /lib/systemd/systemd "$@"
