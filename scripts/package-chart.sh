#!/usr/bin/env bash
# package-chart.sh IMAGE DIGEST FOLDER: packs the chart into FOLDER, with the image of that name and digest as its default.
set -euo pipefail
cd "$(dirname "$0")/.."

image="$1" digest="$2" folder="$3"
chart="$(mktemp -d)"
trap 'rm -rf "$chart"' EXIT
cp -r helm/gainstream "$chart/"
values="$chart/gainstream/values.yaml"
sed -i "s|^  repository: gainstream\$|  repository: $image|; s|^  digest: \"\"\$|  digest: \"$digest\"|" "$values"
# A line that is written otherwise one day must not leave the default behind.
if ! grep -qxF "  repository: $image" "$values" || ! grep -qxF "  digest: \"$digest\"" "$values"; then
  echo "Cannot set the image in values.yaml: want the lines 'repository: gainstream' and 'digest: \"\"'" >&2
  exit 1
fi
helm package "$chart/gainstream" --destination "$folder"
