#!/usr/bin/env bash
# check-version.sh VERSION: checks that package.json, the chart and the changelog have this version.
# check-version.sh --notes VERSION: prints the changelog's section of this version.
set -euo pipefail
cd "$(dirname "$0")/.."

section() { awk -v want="[$1]" '/^## /{on = ($2 == want)} /^## /&&on{next} on' CHANGELOG.md; }
refuse() { printf 'Cannot release %s: %s\n' "$version" "$1" >&2; exit 1; }

if [ "${1-}" = --notes ]; then
  section "$2"
  exit
fi

version="$1"
of_package="$(node -p 'require("./package.json").version')"
of_chart="$(sed -n 's/^version: //p' helm/gainstream/Chart.yaml)"
of_app="$(sed -n 's/^appVersion: //p' helm/gainstream/Chart.yaml | tr -d '"')"
[ "$of_package" = "$version" ] || refuse "package.json has version $of_package"
[ "$of_chart" = "$version" ] || refuse "Chart.yaml has version $of_chart"
[ "$of_app" = "$version" ] || refuse "Chart.yaml has appVersion $of_app"
[ -n "$(section "$version")" ] || refuse "CHANGELOG.md has no section [$version]"
! grep -q "^## \[$version\] - unreleased" CHANGELOG.md || refuse "its section in CHANGELOG.md says unreleased, want a date"
echo "package.json, Chart.yaml and CHANGELOG.md have version $version"
