#!/usr/bin/env bash
# Checks the chart: lint, unit tests, every example against the schemas of Kubernetes and the configuration check of the service,
# alerts with promtool, README. tools.sh installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

chart=helm/gainstream
tools="$PWD/.cache/tools"
PATH="$tools/bin:$PWD/node_modules/.bin:$PATH"
kubernetes=(1.30.0 1.37.0)
newest=1.37.0
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

say() { printf '%s\n' "$*"; }
refuse() { say "$*" >&2; exit 1; }

for tool in helm helm-unittest helm-docs kubeconform promtool node; do
  command -v "$tool" >/dev/null || refuse "Cannot check the chart: $tool is not installed; run helm/tools.sh"
done
[ -d "$tools/kubernetes" ] || refuse "Cannot check the chart: the schemas of Kubernetes are missing; run helm/tools.sh"

render() { helm template gainstream "$chart" --namespace events --kube-version "$newest" "$@"; }

# conform NAME: checks that $out/NAME.yaml fits Kubernetes, and that the service accepts its configuration.
conform() {
  for version in "${kubernetes[@]}"; do
    kubeconform -strict -summary \
      -schema-location "$tools/kubernetes/$version/{{ .ResourceKind }}{{ .KindSuffix }}.json" \
      -schema-location "helm/schemas/{{ .ResourceKind }}-{{ .ResourceAPIVersion }}.json" "$out/$1.yaml" >"$out/summary" ||
      { cat "$out/summary" >&2; refuse "The example $1 does not fit Kubernetes $version"; }
  done
  node helm/check-config.ts "$out/$1.yaml"
  say "$1: $(cat "$out/summary")"
}

for values in "$chart"/examples/*.yaml; do
  name="$(basename "$values" .yaml)"
  helm lint --strict --quiet --kube-version "$newest" "$chart" --values "$values"
  render --values "$values" >"$out/$name.yaml"
  conform "$name"
done

# As a dependency of another chart, by its name and by an alias, each with its condition on and off.
cp -r "$chart" helm/parent "$out/"
helm dependency build "$out/parent" >/dev/null
for wanted in gainstream mobile; do
  other="$([ "$wanted" = mobile ] && echo gainstream || echo mobile)"
  helm lint --strict --quiet --kube-version "$newest" "$out/parent" --set "$wanted.enabled=true,$other.enabled=false"
  helm template shop "$out/parent" --namespace events --kube-version "$newest" \
    --set "$wanted.enabled=true,$other.enabled=false,$other.kafka.brokers=null" >"$out/parent-$wanted.yaml"
  ! grep "shop-$other" "$out/parent-$wanted.yaml" || refuse "The condition of the parent chart does not leave out $other"
  conform "parent-$wanted"
done
helm-unittest --strict --file 'tests/*_test.yaml' "$out/parent"

# As it is released.
digest="sha256:$(printf released | sha256sum | cut -c1-64)"
scripts/package-chart.sh ghcr.io/acme/gainstream "$digest" "$out/released" >/dev/null
released() { helm template gainstream "$out"/released/*.tgz --kube-version "$newest" --values "$chart/examples/minimal.yaml" "$@"; }
released | grep -qF "image: \"ghcr.io/acme/gainstream@$digest\"" || refuse "The released chart does not pull the released image"
released --set global.imageRegistry=mirror | grep -qF "image: \"mirror/acme/gainstream@$digest\"" ||
  refuse "The released chart does not pull from a registry for all charts"

deployment() { render --values "$chart/examples/minimal.yaml" --show-only templates/deployment.yaml "$@"; }
deployment >"$out/before"
deployment --set settings.paused=true | cmp -s "$out/before" - || refuse "A change of settings alone restarts the pods"
deployment --set log.level=debug | cmp -s "$out/before" - && refuse "A change of the environment does not restart the pods"

helm-unittest --strict --file 'tests/*_test.yaml' "$chart"

render --values "$chart/tests/alerts-values.yaml" >"$out/rule.yaml"
node helm/rule-groups.ts "$out/rule.yaml" >"$out/alerts.yaml"
promtool check rules "$out/alerts.yaml"
cp "$chart/tests/alerts.yaml" "$out/test.yaml"
promtool test rules "$out/test.yaml"

cp -r "$chart" "$out/chart"
helm-docs --log-level error --chart-search-root "$out/chart"
cmp -s "$out/chart/README.md" "$chart/README.md" ||
  refuse "The chart's README is stale; run .cache/tools/bin/helm-docs --chart-search-root $chart"
say "The chart has no mistakes"
