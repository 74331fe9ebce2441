#! @shell@
# shellcheck shell=sh disable=SC1008,SC2239
cat @data@/share/hello/greeting
