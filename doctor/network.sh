# Checks of the registries, the base images, the login, the proxy and its certificates.
# shellcheck shell=sh

NETWORK_TIMEOUT_S=4

# Prints "ADDRESS reached", or "ADDRESS" and why not. Any status of HTTP is an answer.
probe() {
  status=0
  if command -v curl >/dev/null; then
    problem=$(within $NETWORK_TIMEOUT_S curl -q --silent --show-error --output /dev/null "$1" 2>&1) || status=$?
  elif command -v wget >/dev/null; then
    problem=$(within $NETWORK_TIMEOUT_S wget -q -O /dev/null "$1" 2>&1) || status=$?
    # GNU's wget says nothing of a refusal with -q, and has a code for it; busybox's says it.
    case $status,$problem in 8,* | *HTTP/*) status=0 ;; esac
  else
    problem=unknown status=1
  fi
  case $status in
  0) problem=reached ;;
  124) problem="no answer within $NETWORK_TIMEOUT_S s" ;;
  esac
  # The first line of an error of curl, without its number; it may have the proxy's password.
  printf '%s %s\n' "$1" "$(clean "$(printf '%s\n' "$problem" | sed -n '1s/^curl: ([0-9]*) //; 1p')")"
}

# The host of an image's registry, by Docker's rule: https://pkg.go.dev/github.com/distribution/reference
registry_of() {
  case ${1%%/*} in
  "$1") echo docker.io ;;
  *.* | *:* | localhost) printf '%s\n' "${1%%/*}" ;;
  *) echo docker.io ;;
  esac
}

# The address of a registry's interface. The engine allows plain HTTP for this machine alone.
address_of() {
  case $1 in
  docker.io) echo https://registry-1.docker.io/v2/ ;;
  localhost | localhost:* | 127.*) echo "http://$1/v2/" ;;
  *) echo "https://$1/v2/" ;;
  esac
}

# Asks all that is needed at once. Sets registry, npm, bases, and answers.
ask() {
  registry=$(setting api-backend.image)
  registry=$(registry_of "${registry:-${LAB_REGISTRY:-docker.io}/tpdocker/api-backend}")
  npm=$(npm_registry)
  bases=
  if [ -n "$engine" ] && [ -n "$LAB_SETTINGS" ]; then bases=$(within 10 sh scripts/bases --check 2>/dev/null) || bases=; fi
  answers=$(
    addresses | sort -u | {
      probes=
      while read -r address; do
        probe "$address" &
        probes="$probes $!"
      done
      # shellcheck disable=SC2154 # set by the loop
      trap 'for probe in $probes; do end "$probe"; done; exit 130' INT TERM
      wait
    }
  )
}

addresses() {
  address_of "$registry"
  [ -z "$npm" ] || printf '%s\n' "$npm"
  missing=$(printf '%s\n' "$bases" | sed -nE 's/^[A-Z_]+ (missing|named) //p')
  for image in $missing; do address_of "$(registry_of "$image")"; done
  # Stand-ins are made from packages.
  if [ -n "$missing" ] && is_debian; then sh scripts/apt mirror; fi
}

# Prints the answer of an address.
answer_of() { printf '%s\n' "$answers" | awk -v address="$1" '$1 == address { sub(/^[^ ]* /, ""); print; exit }'; }

npm_registry() {
  command -v npm >/dev/null || return 0
  npm_config_cache=/dev/null npm_config_logs_max=0 npm_config_update_notifier=false within 5 npm config get registry 2>/dev/null | grep '^https:' || true
}

# Where the images go: a login is needed for make push alone.
check_registry() {
  answer=$(answer_of "$(address_of "$registry")")
  if has_login "$registry"; then login="a login for it is stored"; else login="no login for it is stored"; fi
  case $answer in
  reached) report ok registry "the registry $registry is reached; $login$(has_login "$registry" || echo ' (make push needs one: docker login)')" ;;
  unknown) report unknown registry "whether the registry $registry is reached is not known without curl or wget; $login" ;;
  *) report warning registry "the registry $registry is not reached ($answer); $login" "make push needs both; see docs/proxy.md" ;;
  esac
}

# Builds fetch the packages of package.json, and make gets Bun there.
check_npm() {
  [ -n "$npm" ] || return 0
  case $(answer_of "$npm") in
  reached) report ok npm "the npm registry $npm is reached" ;;
  unknown) ;;
  *) report warning npm "the npm registry $npm is not reached ($(answer_of "$npm"))" "a build needs it unless its packages are in the cache" ;;
  esac
}

docker_config() { printf '%s/config.json\n' "${DOCKER_CONFIG:-${HOME-}/.docker}"; }

# Prints the Docker client's configuration without spaces, so that patterns can match.
compact_config() { if [ -r "$(docker_config)" ]; then tr -d ' \t\r\n' <"$(docker_config)"; fi; }

# True if the Docker client has a login for a registry. Where a helper keeps it, its name stands there all the same.
has_login() {
  key=$1
  [ "$key" != docker.io ] || key=https://index.docker.io/v1/
  compact_config | grep -Fq -e "\"$key\":{" -e "\"$key\":\""
}

# The Docker client asks a program for logins, often Docker Desktop's, which other systems do not have.
check_client_config() {
  config=$(docker_config)
  [ -e "$config" ] || return 0
  if ! [ -r "$config" ]; then
    report warning login "$config cannot be read" "make it yours: sudo chown -R $(id -un) ${config%/*}"
    return
  fi
  for helper in $(compact_config | grep -oE '"credsStore":"[^"]+"|"credHelpers":\{[^}]*\}' | sed 's/"credHelpers":{//' | tr ',' '\n' | sed -n 's/.*:"\([A-Za-z0-9._-]*\)".*/\1/p' | sort -u); do
    command -v "docker-credential-$helper" >/dev/null || report_missing_helper "$helper"
  done
}

# Only BuildKit with images of this machine alone asks for no login.
report_missing_helper() {
  severity=wrong
  case ${base_images-},${DOCKER_BUILDKIT-} in " standin standin",[!0]* | " standin standin",) severity=warning ;; esac
  report $severity login "the program docker-credential-$1, which $config names, is missing" \
    "remove the name from that file; builds fail with \"error getting credentials\""
}

# Sets base_images to a word for each: standin, here (or to be pulled), missing or named.
check_bases() {
  base_images=
  if [ -z "$engine" ] || [ -z "$LAB_SETTINGS" ]; then
    report unknown bases "which base images are here is not known"
    return
  fi
  while read -r variable state image; do
    case $state in
    standin) report ok bases "$variable is a stand-in, which is here" ;;
    here) report ok bases "$variable is here: $image" ;;
    *) report_missing_base ;;
    esac
    base_images="$base_images $state"
  done <<END
$bases
END
}

report_missing_base() {
  host=$(registry_of "$image")
  case $(answer_of "$(address_of "$host")"),$(engine_field proxy)${remote-} in
  reached,*)
    state=here
    report ok bases "$variable is not here; make up pulls $image"
    ;;
  unknown,* | *,*[!\ ]*) report unknown bases "$variable is not here; whether the engine can pull $image is not known" ;;
  *)
    if [ "$state" = named ] || ! is_debian; then
      report wrong bases "$variable=$image is not here, and $host is not reached" "set $variable to an image that is, as in docs/proxy.md"
    elif printf '%s\n' "$answers" | grep -q ' reached$'; then
      report warning bases "$variable is not here, and $host is not reached" "make up builds a stand-in (docs/proxy.md)"
    else
      report wrong bases "$variable is not here, and nothing is reached, neither $host nor the packages for a stand-in" "see docs/proxy.md"
    fi
    ;;
  esac
}

# Prints a proxy's address up to the port, without user and password, whatever characters they have.
without_user() { printf '%s\n' "$1" | LC_ALL=C sed -E 's#^([a-zA-Z0-9]+://)?.*@#\1#'; }

check_proxy() {
  proxy=
  for name in HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy; do
    eval "value=\${$name-}"
    # shellcheck disable=SC2154 # set by eval
    [ -z "$value" ] || proxy="$proxy${proxy:+, }$name=$(without_user "$value")"
  done
  engine_proxy=
  for value in $(engine_field proxy); do engine_proxy=$(without_user "$value"); done
  builds=
  if compact_config | grep -q '"proxies":{"'; then builds=yes; fi
  case ${proxy:+yes},${engine_proxy:+yes},$builds in
  ,,) report ok proxy "no proxy is set" ;;
  yes,yes,yes | ,yes,yes) report ok proxy "${proxy:-no proxy of this shell}; the engine's: $engine_proxy; builds have one" ;;
  *)
    report warning proxy "proxies: of this shell ${proxy:-none}; of the engine ${engine_proxy:-none}; of builds ${builds:-none}" \
      "each needs its own, as in docs/proxy.md"
    ;;
  esac
}

# Sees whether TLS ends in a certificate authority that the distribution does not have: builds do not trust it.
check_certificates() {
  public=/usr/share/ca-certificates/mozilla
  reached=$(printf '%s\n' "$answers" | sed -n '/^https:/s/ reached$//p' | head -n 1)
  untrusted=$(printf '%s\n' "$answers" | grep -i 'certificate' | head -n 1)
  if [ -n "$untrusted" ]; then
    report warning certificates "${untrusted%% *} answers with a certificate that this machine does not trust" "add the CA of your network to this machine"
  elif [ -z "$reached" ] || ! [ -d $public ] || ! command -v curl >/dev/null; then
    report unknown certificates "whose certificates the registries show is not known${NODE_EXTRA_CA_CERTS:+; NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS}"
  elif trusted_by_all "$reached"; then
    report ok certificates "${reached} has a public certificate"
  else
    report_own_certificate "$reached has a certificate that only this machine trusts"
  fi
}

# The build runs in BUN_IMAGE, the first of the base images.
report_own_certificate() {
  case $base_images in
  " standin "* | " missing "*) report ok certificates "$1; the stand-in trusts it too" ;;
  " here "*) report warning certificates "$1, and builds do not" "set BUN_IMAGE to an image that trusts it, as in docs/proxy.md" ;;
  *) report unknown certificates "$1; whether builds trust it is not known (docs/proxy.md)" ;;
  esac
}

# True if the CA is one of the distribution's own. /dev/stdin, because nothing is written here.
trusted_by_all() {
  cat /usr/share/ca-certificates/mozilla/*.crt |
    curl -q --silent --output /dev/null --max-time $NETWORK_TIMEOUT_S --capath /nonexistent --cacert /dev/stdin "$1"
}
