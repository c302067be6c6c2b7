#!/bin/sh
# tts-toolkit-helper.sh build|start|stop|logs: the four words for docker compose.
cd "$(dirname "$0")" || exit 1
case "${1-}" in
  build) exec docker compose build ;;
  start) exec docker compose up --detach --wait ;;
  stop) exec docker compose down ;;
  logs) exec docker compose logs --follow --tail 100 ;;
esac
echo "usage: $0 build|start|stop|logs" >&2
exit 2
