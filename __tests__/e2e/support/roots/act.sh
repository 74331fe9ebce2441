# shellcheck shell=bash
# bin/act: nektos/act, which runs workflow files like GitHub's runner, built from the Go module proxy. It needs a newer Go
# than distributions have; Go 1.21 and newer download that from the proxy too.
work=$ROOT.work
mkdir -p "$work/tmp"
GOPATH=$work GOCACHE=$work/cache GOTMPDIR=$work/tmp GOBIN=$ROOT/bin GOTOOLCHAIN=auto CGO_ENABLED=0 \
  GOFLAGS='-modcacherw -trimpath' go install github.com/nektos/act@v0.2.89
rm -rf "$work"
