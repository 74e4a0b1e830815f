#!/usr/bin/env bash
# A Kubernetes for the tests: `eval "$(scripts/cluster.sh up)"`, `load IMAGE...`, `down`.
# Uses `cluster-up` where such a command is there, otherwise kind; progress goes to standard error.
# PCC_TEST_CLUSTER says that the cluster of KUBECONFIG was made for tests: they touch no other.
set -euo pipefail

name=pcc-training-job
config=${TMPDIR:-/tmp}/$name.kubeconfig
own() { command -v cluster-up >/dev/null; }

up_with_kind() {
  command -v kind >/dev/null || { echo "cluster.sh: neither cluster-up nor kind is there" >&2; exit 1; }
  # the user's own kubeconfig keeps its context
  kind get clusters 2>/dev/null | grep -qx "$name" || kind create cluster --name "$name" --kubeconfig "$config" >&2
  kind get kubeconfig --name "$name" >"$config"
  printf 'export KUBECONFIG=%q\n' "$config"
}

case "${1:-}" in
up)
  if own; then exports=$(cluster-up); else exports=$(up_with_kind); fi
  # shellcheck disable=SC2016  # whoever evaluates it has the value
  printf '%s\n' "$exports" 'export PCC_TEST_CLUSTER=$KUBECONFIG'
  ;;
load)
  shift
  (($#)) || { echo "usage: cluster.sh load IMAGE..." >&2; exit 2; }
  if own; then
    cluster-load-image "$@" >&2
  else
    for image in "$@"; do docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image" >&2; done
    kind load docker-image --name "$name" "$@" >&2
  fi
  ;;
down)
  if own; then cluster-down >&2; else kind delete cluster --name "$name" --kubeconfig "$config" >&2; fi
  ;;
*)
  echo "usage: cluster.sh up | load IMAGE... | down" >&2
  exit 2
  ;;
esac
