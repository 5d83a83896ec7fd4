#!/usr/bin/env bash
# check-image.sh IMAGE: checks that the image is small, has no root user and no shell, and runs read-only without any capability. Needs Docker.
set -euo pipefail

image="$1"
limit=$((250 * 1000 * 1000))
refuse() { printf 'Cannot ship %s: %s\n' "$image" "$1" >&2; exit 1; }
confined() { docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none "$@"; }

size="$(docker image inspect --format '{{.Size}}' "$image")"
[ "$size" -lt "$limit" ] || refuse "it has $size bytes, want less than $limit"
user="$(docker image inspect --format '{{.Config.User}}' "$image")"
[ "$user" = 65532:65532 ] || refuse "its user is '$user', want 65532:65532"
! confined --entrypoint sh "$image" -c true 2>/dev/null || refuse "it has a shell"
confined "$image" --help >/dev/null || refuse "it does not run read-only without capabilities"
# snappy and lz4-napi must have binaries for the platform of this image.
confined --entrypoint node "$image" -e 'require("snappy").compressSync("a"); require("lz4-napi").compressFrameSync("a")' ||
  refuse "it cannot load its codecs"

# Without configuration the program must end with its own exit code.
status=0
confined "$image" >/dev/null 2>&1 || status=$?
[ "$status" -eq 78 ] || refuse "without configuration it ends with $status, want 78"
printf '%s: %d MB, user %s, runs read-only without capabilities\n' "$image" $((size / 1000000)) "$user"
