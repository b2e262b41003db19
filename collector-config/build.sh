#!/bin/sh
# Build the OpenTelemetry Collector that manifest.yaml describes, once per manifest.
#
#   build.sh               print the path of the binary, building it first where needed
#   build.sh --print-path  print that path and build nothing; status 1 where it is not built
#
# The path goes to stdout, everything else to stderr.
# Status: 0 done, 1 the build failed or nothing is built, 2 wrong usage, 3 no usable Go.
set -eu

builder_version=v0.155.0
minimum_go=1.25

say() { printf 'build.sh: %s\n' "$*" >&2; }
fail() {
    status=$1
    shift
    say "$*"
    exit "$status"
}
sha256() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

print_only=false
case "$#:${1-}" in
0:) ;;
1:--print-path) print_only=true ;;
1:-h | 1:--help)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*) fail 2 "unknown arguments: $*. Usage: build.sh [--print-path]" ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
manifest=$here/manifest.yaml

command -v go >/dev/null 2>&1 ||
    fail 3 "Go is missing. Install Go $minimum_go or newer (https://go.dev/dl/) and put it on PATH."
# A toolchain that Go fetches by itself would make the version check and the cache key lie.
export GOTOOLCHAIN=local
go_version=$(go env GOVERSION)
oldest=$(printf '%s\n%s\n' "$minimum_go" "${go_version#go}" | sort -t. -k1,1n -k2,2n | head -n 1)
case "$go_version" in
go[0-9]*)
    [ "$oldest" = "$minimum_go" ] ||
        fail 3 "$go_version is too old. Install Go $minimum_go or newer (https://go.dev/dl/)."
    ;;
esac

root=${XDG_CACHE_HOME:-$HOME/.cache}/otel-apimetrics/collector
key=$({ cat "$manifest" && echo "$builder_version" && go version; } | sha256)
binary=$root/$key/otelcol

if [ -x "$binary" ]; then
    printf '%s\n' "$binary"
    exit 0
fi
if $print_only; then
    say "not built yet: run $here/build.sh"
    printf '%s\n' "$binary"
    exit 1
fi

mkdir -p "$root/$key"
if command -v flock >/dev/null 2>&1; then
    # Waiting is cheaper than building the same binary twice; without flock both build.
    exec 9>"$root/$key/lock"
    flock -n 9 || {
        say "another build of the same Collector is running: waiting for it"
        flock 9
    }
    if [ -x "$binary" ]; then
        printf '%s\n' "$binary"
        exit 0
    fi
fi

# In the cache's own file system, so that the last step is a rename: a reader sees the
# whole binary or none.
work=$(mktemp -d "$root/$key/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
log=$work/log

run() {
    "$@" >>"$log" 2>&1 9>&- || {
        tail -n 40 "$log" >&2
        fail 1 "failed: $*. The last lines of its output are above."
    }
}

say "1/3 installing the builder $builder_version (a first build takes 3 to 4 minutes)"
export GOFLAGS="" CGO_ENABLED=0
run env GOBIN="$work/bin" go install "go.opentelemetry.io/collector/cmd/builder@$builder_version"

say "2/3 writing the Collector's sources"
cp "$manifest" "$work/manifest.yaml"
cd "$work"
# The builder ends with `go mod tidy`, which asks for modules that only the tests of its
# dependencies use, and some of those cannot be had. The sources are written before that.
"$work/bin/builder" --config manifest.yaml --skip-compilation >>"$log" 2>&1 9>&- || true
for file in go.mod main.go components.go; do
    [ -s "_build/$file" ] || {
        tail -n 40 "$log" >&2
        fail 1 "the builder wrote no $file. The last lines of its output are above."
    }
done

say "3/3 compiling"
cd "$work/_build"
run go build -mod=mod -trimpath -ldflags="-s -w" -o "$work/otelcol" .
run "$work/otelcol" --version

mv -f "$work/otelcol" "$binary"
say "built $(du -h "$binary" | cut -f1)"
printf '%s\n' "$binary"
