# shellcheck shell=bash
# nektos/act, which runs workflow files as GitHub's runner does, from the Go module proxy: bin/act. It wants a newer Go than
# distributions have; Go 1.21 and newer fetch that from the proxy too.
work=$ROOT.work
mkdir -p "$work/tmp"
GOPATH=$work GOCACHE=$work/cache GOTMPDIR=$work/tmp GOBIN=$ROOT/bin GOTOOLCHAIN=auto CGO_ENABLED=0 \
  GOFLAGS='-modcacherw -trimpath' go install github.com/nektos/act@v0.2.89
rm -rf "$work"
