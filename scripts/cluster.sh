#!/usr/bin/env bash
# A Kubernetes for the tests: `eval "$(scripts/cluster.sh up)"`, `load IMAGE...`, `down`.
# Uses `cluster-up` where such a command is there, otherwise kind; progress goes to standard error.
set -euo pipefail

name=pcc-training-job
own() { command -v cluster-up >/dev/null; }

case "${1:-}" in
up)
  if own; then
    cluster-up
  else
    command -v kind >/dev/null || { echo "cluster.sh: neither cluster-up nor kind is there" >&2; exit 1; }
    kind get clusters 2>/dev/null | grep -qx "$name" || kind create cluster --name "$name" >&2
    config=${TMPDIR:-/tmp}/$name.kubeconfig
    kind get kubeconfig --name "$name" >"$config"
    printf 'export KUBECONFIG=%q\n' "$config"
  fi
  ;;
load)
  shift
  if own; then cluster-load-image "$@" >&2; else kind load docker-image --name "$name" "$@" >&2; fi
  ;;
down)
  if own; then cluster-down >&2; else kind delete cluster --name "$name" >&2; fi
  ;;
*)
  echo "usage: cluster.sh up | load IMAGE... | down" >&2
  exit 2
  ;;
esac
