#!/bin/bash
# Stands in for NVIDIA's entrypoint: talks on stdout, then runs what it was given.
echo "== A banner =="
exec "$@"
