#!/bin/sh
# NVIDIA's own entrypoint lets an older driver run a newer CUDA, and prints a banner on stdout. Ours
# is for results, so the banner goes to stderr.
set -eu

nvidia=/opt/nvidia/nvidia_entrypoint.sh
if [ -x "$nvidia" ]; then
  exec 3>&1 1>&2
  # shellcheck disable=SC2016 # the inner shell has the arguments
  exec "$nvidia" /bin/sh -c 'exec tts-toolkit "$@" 1>&3 3>&-' tts-toolkit "$@"
fi
exec tts-toolkit "$@"
