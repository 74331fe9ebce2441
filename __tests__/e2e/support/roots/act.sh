# shellcheck shell=bash
# bin/act: nektos/act, which runs workflow files like GitHub's runner, built from the Go module proxy. It needs a newer Go
# than distributions have. The proxy has that too, as a module, which any Go can download; only Go 1.21 and newer would do so
# by themselves.
work=$ROOT.work
go=golang.org/toolchain@v0.0.1-go1.25.0.linux-$(go env GOARCH)
mkdir -p "$work/tmp"
export GOPATH=$work GOCACHE=$work/cache GOTMPDIR=$work/tmp GOFLAGS='-modcacherw' GOTOOLCHAIN=local
go mod download "$go"
# Modules have no executable files.
chmod -R +x "$work/pkg/mod/$go/bin" "$work/pkg/mod/$go/pkg/tool"
GOROOT=$work/pkg/mod/$go GOBIN=$ROOT/bin CGO_ENABLED=0 \
  "$work/pkg/mod/$go/bin/go" install -trimpath github.com/nektos/act@v0.2.89
rm -rf "$work"
