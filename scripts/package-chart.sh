#!/usr/bin/env bash
# package-chart.sh IMAGE DIGEST FOLDER: packages the chart into FOLDER, with this image and digest as its default.
set -euo pipefail
cd "$(dirname "$0")/.."

image="$1" digest="$2" folder="$3"
chart="$(mktemp -d)"
trap 'rm -rf "$chart"' EXIT
cp -r helm/gainstream "$chart/"
# Registry and repository are two values, so that users can set another registry. The registry is the part before the first '/' if it looks like a host.
case "${image%%/*}" in *.* | *:*) registry="${image%%/*}" ;; *) registry="" ;; esac
repository="${image#"${registry:+$registry/}"}"
values="$chart/gainstream/values.yaml"
sed -i "s|^  registry: \"\"\$|  registry: \"$registry\"|; s|^  repository: gainstream\$|  repository: $repository|; s|^  digest: \"\"\$|  digest: \"$digest\"|" "$values"
# Checks that every line was replaced: values.yaml may change one day.
for line in "registry: \"$registry\"" "repository: $repository" "digest: \"$digest\""; do
  if ! grep -qxF "  $line" "$values"; then
    echo "Cannot set the image in values.yaml: want the lines 'registry: \"\"', 'repository: gainstream' and 'digest: \"\"'" >&2
    exit 1
  fi
done
helm package "$chart/gainstream" --destination "$folder"
