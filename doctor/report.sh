# Prints what the checks find: a line each, or JSON.
# shellcheck shell=sh

tab=$(printf '\t')
newline='
'
# One line a check, for JSON: name, status, what was found, what to do.
records=
wrong=0

# Reports what a check has found:
#
#   report ok|warning|wrong|unknown CHECK WHAT [WHAT-TO-DO]
#
# Only "wrong" keeps make up from working.
report() {
  [ "$1" != wrong ] || wrong=$((wrong + 1))
  what=$(clean "$3")
  todo=$(clean "${4-}")
  if [ "${JSON-}" = 1 ]; then
    records=$records$2$tab$1$tab$what$tab$todo$newline
  else
    # What others have written must not control the terminal.
    printf '%s %s\n' "$(mark "$1")" "$(printf '%s' "$what${todo:+: $todo}" | LC_ALL=C tr '\001-\037\177' '?')"
  fi
}

mark() {
  case $1 in
  ok) paint 32 ✓ ;;
  warning) paint 33 ! ;;
  wrong) paint 31 ✗ ;;
  *) paint 2 – ;;
  esac
}

# Prints a text in a colour, on a terminal; https://no-color.org
paint() {
  if [ -n "${coloured-}" ]; then printf '\033[%sm%s\033[0m' "$1" "$2"; else printf '%s' "$2"; fi
}
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then coloured=yes; fi

# Prints a text as one line that may be shown to others: without passwords, users' names in paths, and digests.
clean() {
  printf '%s\n' "$1" | LC_ALL=C tr '\t\n' '  ' | LC_ALL=C sed -E \
    -e 's/@sha256:[0-9a-f]{64}//g' \
    -e 's#://.*@#://#' \
    -e 's#[^][:space:]=,("]+:[^[:space:]@]*@##g' \
    -e 's/ +$//' | shorten_paths
}

# Writes ~ for the home folder, and for a user's name in any other path.
shorten_paths() {
  LC_ALL=C NAMES="$(id -un 2>/dev/null) ${USER-} ${SUDO_USER-}" awk '
    # Replaces a part of a path, but not in a longer name; before it there must be what matches the last argument.
    function replace(text, part, by, before,   left, at, rest) {
      while (at = index(text, part)) {
        left = left substr(text, 1, at - 1)
        rest = substr(text, at + length(part))
        left = left (rest ~ /^[A-Za-z0-9._-]/ || left !~ before ? part : by)
        text = rest
      }
      return left text
    }
    {
      home = ENVIRON["HOME"]
      sub(/\/+$/, "", home)
      if (home != "") $0 = replace($0, home, "~", "(^|[^A-Za-z0-9._-])$")
      for (i = split(ENVIRON["NAMES"], names, " "); i > 0; i--)
        if (names[i] != "root") $0 = replace($0, "/" names[i], "/~", "")
      gsub(/\/(home|Users)\/[^\/]+\//, "~/")
      gsub(/\/(home|Users)\/[^\/ ]+/, "~")
      print
    }'
}

# Prints all that was reported as JSON, in ASCII. A byte that is not UTF-8 becomes U+FFFD.
print_json() {
  printf '%s' "$records" | LC_ALL=C od -An -v -tu1 | LC_ALL=C awk -v works="$1" '
    BEGIN {
      split("check status found todo", names, " ")
      printf "{\n  \"works\": %s,\n  \"checks\": [", works
    }
    function character(code) {
      if (code >= 65536) { code -= 65536; character(55296 + int(code / 1024)); character(56320 + code % 1024) }
      else if (code == 34 || code == 92) printf "\\%c", code
      else if (code >= 32 && code < 127) printf "%c", code
      else printf "\\u%04x", code
    }
    function broken() { if (left > 0) character(65533); left = 0 }
    function begin(size, bits, smallest) { left = size; code = bits; least = smallest }
    # RFC 3629: how many bytes follow, and the smallest code that needs them.
    function byte(b) {
      if (left > 0 && b >= 128 && b < 192) {
        code = code * 64 + b - 128
        if (--left == 0) character(code < least || code > 1114111 || (code >= 55296 && code < 57344) ? 65533 : code)
        return
      }
      broken()
      if (b < 128) character(b)
      else if (b >= 192 && b < 224) begin(1, b - 192, 128)
      else if (b >= 224 && b < 240) begin(2, b - 224, 2048)
      else if (b >= 240 && b < 248) begin(3, b - 240, 65536)
      else character(65533)
    }
    {
      for (i = 1; i <= NF; i++) {
        if (!field) { printf "%s\n    { \"%s\": \"", many++ ? "," : "", names[field = 1] }
        if ($i == 10) { broken(); printf "\" }"; field = 0 }
        else if ($i == 9) { broken(); printf "\", \"%s\": \"", names[++field] }
        else byte($i)
      }
    }
    END { print "\n  ]\n}" }'
}

# Reports the errors that a script has printed with fail of common.sh:  report_errors CHECK TEXT
report_errors() {
  errors=$(printf '%s\n' "$2" | tr '\t' ' ' | awk '
    function flush() { if (error != "") print error "\t" hints; hints = "" }
    /^error: / { flush(); error = substr($0, 8); sub(/\.$/, "", error); next }
    /^       / && error != "" { sub(/^ +/, ""); sub(/\.$/, ""); hints = hints (hints == "" ? "" : ". ") $0 }
    { last = $0 }
    END { if (error == "") error = last; flush() }')
  while IFS=$tab read -r error hints; do report wrong "$1" "$error" "$hints"; done <<END
${errors:-the check has failed}
END
}
