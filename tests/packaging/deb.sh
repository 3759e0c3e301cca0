#!/usr/bin/env bash
# The Debian package as an administrator meets it: built, installed, started, stopped, purged.
# Usage: tests/packaging/deb.sh [PROFILE]
#
# It is installed into a copy of this system that exists in memory alone (overlay and mount namespace),
# so nothing of the machine changes. Needs root and a Debian system; elsewhere it says so and ends well,
# unless DEB=required. Built by packaging/build-deb, which needs cargo-deb.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly profile=${1:-release}

skip() {
    echo "SKIPPED: $*; the Debian package was NOT tried" >&2
    [ "${DEB:-}" = required ] && exit 1
    exit 0
}
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The second life of this script: in the copy, as root of it.
if [ "${IN_COPY:-}" = yes ]; then
    readonly package=$1
    readonly data=/var/lib/wordkeep key_dir=/run/wordkeep-credentials log=/run/wordkeep.log
    # An account that owns nothing else, as the unit's DynamicUser.
    readonly somebody=65111
    readonly address=127.0.0.1:8471
    server=
    trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true' EXIT

    dpkg -i "$package"
    [ "$(command -v wordkeep)" = /usr/bin/wordkeep ] || fail "the program is not on the path"
    wordkeep --version

    # Every command has its page, and every page is gone through by what Debian renders them with.
    for command in search import hold policy dispose serve export verify; do
        [ -s "/usr/share/man/man1/wordkeep-$command.1.gz" ] || fail "no manual page of $command"
    done
    bash -n /usr/share/bash-completion/completions/wordkeep
    [ -s /usr/share/doc/wordkeep/copyright ] || fail "no copyright"
    if command -v systemd-analyze >/dev/null; then
        systemd-analyze verify --man=no /usr/lib/systemd/system/wordkeep.service
        # Ten is the worst; whatever is above two is for a person to look at.
        systemd-analyze security --offline=true --threshold=20 --no-pager wordkeep.service | tail -1
    fi
    [ ! -e "$data" ] || fail "installing made an archive"

    # As the unit starts it: its own words, its directories, its credential.
    start=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/wordkeep.service)
    [ -n "$start" ] || fail "the unit starts nothing"
    install -d -m 700 -o "$somebody" -g "$somebody" "$data" "$key_dir"
    head -c 32 /dev/urandom >"$key_dir/unlock.key"
    chown "$somebody:$somebody" "$key_dir/unlock.key"
    chmod 400 "$key_dir/unlock.key"

    serve() {
        # shellcheck disable=SC2086 # the words of the unit
        setpriv --reuid "$somebody" --regid "$somebody" --clear-groups --no-new-privs \
            --inh-caps=-all --bounding-set=-all ${start//%d/$key_dir} >"$log" 2>&1 &
        server=$!
        for _ in $(seq 150); do
            [ "$(status /health)" = 200 ] && return
            kill -0 "$server" 2>/dev/null || { cat "$log" >&2; fail "it ended by itself"; }
            sleep 0.1
        done
        cat "$log" >&2
        fail "it does not answer"
    }
    # What a path answers, by its number; 000 when nobody does.
    status() {
        {
            exec 3<>"/dev/tcp/${address/:/\/}" &&
                printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" "$address" >&3 &&
                read -r _ answer _ <&3
        } 2>/dev/null || answer=000
        exec 3>&- 2>/dev/null || true
        echo "$answer"
    }
    stop() {
        kill -INT "$server"
        local ended=0
        wait "$server" || ended=$?
        server=
        [ "$ended" = 0 ] || [ "$ended" = 130 ] || { cat "$log" >&2; fail "stopping ended with $ended"; }
    }

    # A key that is made in the place of credentials would be lost with the next restart.
    mv "$key_dir/unlock.key" "$key_dir/elsewhere"
    # shellcheck disable=SC2086
    ! timeout 20 setpriv --reuid "$somebody" --regid "$somebody" --clear-groups \
        ${start//%d/$key_dir} >"$log" 2>&1 ||
        fail "it began an archive without its credential"
    grep -q 'systemd-creds encrypt' "$log" || fail "it does not say how to make the credential"
    mv "$key_dir/elsewhere" "$key_dir/unlock.key"

    serve
    [ "$(status /ready)" = 200 ] || fail "not ready: $(status /ready)"
    [ "$(status /setup)" = 200 ] || fail "nobody can be made the first administrator"
    grep -q '/setup#t=' "$log" || fail "no link for the first administrator in the journal"
    stop
    [ -e "$data/wordkeep.db" ] || fail "it kept nothing"
    [ -z "$(find "$data" -perm /077 -print -quit)" ] ||
        fail "others may read $(find "$data" -perm /077 -print -quit)"
    serve
    [ "$(status /ready)" = 200 ] || fail "it does not open what it made"
    stop

    # Without its credential it starts sealed and asks.
    mv "$key_dir/unlock.key" "$key_dir/elsewhere"
    serve
    [ "$(status /ready)" = 503 ] || fail "sealed and ready: $(status /ready)"
    [ "$(status /unlock)" = 200 ] || fail "nobody can unlock it: $(status /unlock)"
    stop
    mv "$key_dir/elsewhere" "$key_dir/unlock.key"

    # Taking the program away takes no record away.
    dpkg --purge wordkeep
    [ ! -e /usr/bin/wordkeep ] || fail "the program is still there"
    [ -e "$data/wordkeep.db" ] || fail "purging the package took the archive"
    echo "1 passed, 0 failed"
    exit 0
fi

[ "$(id -u)" = 0 ] || skip "no root here"
command -v dpkg-deb >/dev/null || skip "no Debian here"
cargo deb --version >/dev/null 2>&1 || skip "cargo-deb is not installed"
unshare --mount true 2>/dev/null || skip "no mount namespaces here"

package=$PWD/$(packaging/build-deb "$profile" 2>&1 | tail -n 1)
[ -s "$package" ] || fail "no package was built"
! dpkg-query -W wordkeep >/dev/null 2>&1 || skip "wordkeep is installed on this machine"

readonly script=$PWD/tests/packaging/deb.sh
export package script
IN_COPY=yes unshare --mount --net bash -euc '
    copy=$(mktemp -d)
    mount -t tmpfs tmpfs "$copy"
    mkdir "$copy/upper" "$copy/work" "$copy/root"
    mount -t overlay overlay \
        -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$copy/root" || exit 77
    mount --bind /dev "$copy/root/dev"
    mount -t proc proc "$copy/root/proc"
    mount -t tmpfs tmpfs "$copy/root/run"
    mount -t tmpfs tmpfs "$copy/root/tmp"
    cp "$package" "$copy/root/run/wordkeep.deb"
    cp "$script" "$copy/root/run/deb.sh"
    # A network of its own, with nothing but itself.
    ip link set lo up
    mkdir -p "$copy/root/run/tests/packaging"
    mv "$copy/root/run/deb.sh" "$copy/root/run/tests/packaging/"
    chroot "$copy/root" bash /run/tests/packaging/deb.sh /run/wordkeep.deb
' || {
    status=$?
    [ "$status" != 77 ] || skip "no overlays here"
    exit "$status"
}
