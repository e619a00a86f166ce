# Checks of .env, the variables and the ports.
# shellcheck shell=sh

# Sets LAB_SETTINGS, for this script and those that it calls, if Compose reads the variables and they are right.
check_settings() {
  LAB_SETTINGS=
  if [ -e .env ] && ! [ -r .env ]; then
    report wrong settings ".env cannot be read" "make it yours: sudo chown $(id -un) .env"
    return
  fi
  unread=$(unread_names)
  for name in $unread; do
    report warning settings "nothing reads $name of .env" "see .env.example for the names"
  done
  if [ -z "$compose" ]; then
    report unknown settings "the variables are not known without Compose"
    return
  fi
  unset LAB_SETTINGS
  if LAB_SETTINGS=$(within 10 sh scripts/config 2>/dev/null); then
    export LAB_SETTINGS
    report_settings
  else
    LAB_SETTINGS=
    report_errors settings "$(within 10 sh scripts/config 2>&1 | without_values)"
  fi
}

# A value may be a secret in the wrong place, and Compose quotes the lines that it cannot read.
without_values() {
  sed -E -e 's/^(error: [A-Z_]+)=.*: expected /\1 has a wrong value: expected /' \
    -e 's/^(error: Compose cannot read the variables).*/\1/' -e 's/^       Check the file/       Run sh scripts\/config for its message, and check the file/'
}

report_settings() {
  level=
  # Compose is asked only if it is set somewhere.
  if [ -n "${LAB_LOG_LEVEL-}" ] || grep -qs LAB_LOG_LEVEL .env; then
    level=$(sh scripts/config --variables | sed -n 's/^LAB_LOG_LEVEL=//p')
  fi
  case $level in
  '' | debug | info | warn | error) ;;
  *)
    report wrong settings "LAB_LOG_LEVEL has a wrong value" "set it to debug, info, warn or error"
    return
    ;;
  esac
  if [ ! -e .env ]; then
    report ok settings "the variables are right; there is no .env"
  elif names=$(names_in .env | sort -u | grep -Fxv "${unread:-$tab}" | tr '\n' ' ' | sed 's/ $//; s/ /, /g') && [ -n "$names" ]; then
    report ok settings "the variables are right; .env sets $names"
  elif [ -z "$unread" ]; then
    report ok settings "the variables are right; .env sets none"
  fi
}

check_ports() {
  settings=$LAB_SETTINGS
  export LAB_SETTINGS
  [ -n "$compose" ] || LAB_SETTINGS=$(default_ports)
  if [ -z "$LAB_SETTINGS" ] || [ -n "$remote" ]; then
    report unknown ports "whether the ports are free is not known"
  else
    report_ports
  fi
  LAB_SETTINGS=$settings
}

# Prints the settings that the ports come from where there is no Compose to ask, unless a file may set others.
default_ports() {
  for file in .env docker-compose.override.*; do [ ! -e "$file" ] || return 0; done
  [ -n "${COMPOSE_FILE-}" ] || printf '%s\n' project="${COMPOSE_PROJECT_NAME:-tpdocker}" \
    api-backend.port.8001="${BACKEND_PORT:-8001}" api-frontend.port.8000="${FRONTEND_PORT:-8000}"
}

report_ports() {
  ports="ports $(setting api-frontend.port.8000) and $(setting api-backend.port.8001)"
  if ! errors=$(within 10 sh scripts/free-ports 2>&1); then
    report_errors ports "$errors"
  elif [ -n "$engine" ] && [ -n "$(running)" ]; then
    report_running
  else
    report ok ports "$ports are free"
  fi
}

# Prints the folders from which the running containers of the stack were started.
running() {
  for container in $(containers); do
    docker inspect --format '{{if .State.Running}}{{index .Config.Labels "com.docker.compose.project.working_dir"}}{{end}}' "$container"
  done 2>/dev/null | grep . | sort -u
}

report_running() {
  if [ "$(running)" = "$PWD" ]; then
    report ok ports "$ports are used by this stack, which runs"
  else
    report warning ports "the stack $(setting project) runs from another folder, $(running)" "make up replaces it; for a second stack, set other ports and COMPOSE_PROJECT_NAME"
  fi
}
