# A house of its own for a test with a served archive: an administrator and a records officer. Sourced by
# the tests beside it, with `program`, `port` and `python` set; gives `place`, `wk`, `serve_house`.
case $program in /*) ;; *) program=$PWD/$program ;; esac
here=$PWD/tests/api
place=$(mktemp -d)
server=
provider=
end() {
    for child in $server $provider; do kill "$child" 2>/dev/null || true; done
    for child in $server $provider; do wait "$child" 2>/dev/null || true; done
    rm -rf "$place"
}
trap end EXIT
trap 'exit 1' INT TERM

export HOME="$place" XDG_CONFIG_HOME="$place/config" PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1
mkdir -p "$XDG_CONFIG_HOME"
printf 'correct horse battery staple\n' > "$place/password"
wk() { "$program" --data "$place/data" --no-input "$@"; }
log_in() { wk login "$1" --password-file "$place/password" --token-file "$place/$1.token" >/dev/null; }

furnish() {
    wk init --administrator root --password-file "$place/password" >/dev/null 2>&1
    log_in root
    wk user add rec --role records-officer --password-file "$place/password" \
        --token-file "$place/root.token" >/dev/null
}

# Serves in the background, under whatever is named before it, until it answers.
serve_house() {
    "$@" "$program" serve --data "$place/data" --listen "127.0.0.1:$port" > "$place/served" 2>&1 &
    server=$!
    "$python" -c 'import sys, visitor; visitor.await_ready(sys.argv[1])' "http://127.0.0.1:$port" ||
        { cat "$place/served" >&2; exit 1; }
}

stop_house() {
    # Under strace the program is its child.
    local child
    child=$(cat "/proc/$server/task/$server/children" 2>/dev/null || true)
    # shellcheck disable=SC2086
    kill -INT ${child:-$server}
    wait "$server" || { cat "$place/served" >&2; exit 1; }
    server=
}
