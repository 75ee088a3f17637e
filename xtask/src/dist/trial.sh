# Installs, changes, removes and purges the packages in overlays of this system: $1 is a .deb, $2 an .rpm.
work=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
trap 'umount -R -l "$work" 2>/dev/null || :; rmdir "$work" 2>/dev/null || :' EXIT

fail() { echo "$1" >&2; exit 3; }

# A copy of this system in which only what is written takes room.
stage() {
    mkdir -p "$work/$1/upper" "$work/$1/work" "$work/$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/$1/upper,workdir=$work/$1/work" "$work/$1/root" || return 1
    mount --bind /proc "$work/$1/root/proc"
    mount --bind /dev "$work/$1/root/dev"
    mount -t tmpfs tmpfs "$work/$1/root/run"
    mount -t tmpfs tmpfs "$work/$1/root/tmp"
    cp "$2" "$work/$1/root/tmp/package"
}

# Paths of ours that are there.
ours() { (cd "$work/$1/upper" && find . -name '*portreeve*' ! -type c | sort); }

# What was written besides the package managers' own books and the lists of users.
foreign() {
    (cd "$work/$1/upper" && find . ! -type d | sort) | grep -Ev \
        '^\./(var/lib/(dpkg|rpm|systemd)/|var/log/|var/cache/(man|ldconfig)/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/\.pwd\.lock$|root/\.)' || :
}

if command -v dpkg >/dev/null; then
    if stage deb "$1"; then
        inside() { chroot "$work/deb/root" "$@"; }
        inside dpkg -i /tmp/package >"$work/log" 2>&1 || fail "dpkg -i: $(cat "$work/log")"
        inside portreeve --version >/dev/null || fail "the installed binary does not run"
        inside portreeve 420 --json >/dev/null 2>&1 || [ $? -le 2 ] || fail "the installed binary does not work"
        inside dpkg --verify portreeve >"$work/verify" 2>&1 || :
        [ -s "$work/verify" ] && fail "dpkg --verify: $(cat "$work/verify")"
        inside grep -q '^portreeve:' /etc/passwd || ! inside sh -c 'command -v systemd-sysusers' >/dev/null || fail "there is no user"
        [ "$(inside stat -c %a /etc/portreeve/portreeve.toml)" = 640 ] || fail "everybody reads the settings"
        # Again, over itself; with a setting that somebody changed, and with what a service would have written.
        echo '# ours' >>"$work/deb/root/etc/portreeve/portreeve.toml"
        mkdir -p "$work/deb/root/var/lib/portreeve" && echo state >"$work/deb/root/var/lib/portreeve/history.db"
        inside dpkg -i --force-confold /tmp/package >"$work/log" 2>&1 || fail "dpkg -i again: $(cat "$work/log")"
        inside grep -q '^# ours' /etc/portreeve/portreeve.toml || fail "a changed setting was lost"
        inside dpkg -r portreeve >"$work/log" 2>&1 || fail "dpkg -r: $(cat "$work/log")"
        [ -e "$work/deb/root/usr/bin/portreeve" ] && fail "the binary stays after its removal"
        inside grep -q '^# ours' /etc/portreeve/portreeve.toml || fail "removing took the settings"
        [ -e "$work/deb/root/var/lib/portreeve/history.db" ] || fail "removing took the history"
        inside dpkg -P portreeve >"$work/log" 2>&1 || fail "dpkg -P: $(cat "$work/log")"
        left=$(ours deb)
        [ -z "$left" ] || fail "left after the purge: $left"
        more=$(foreign deb)
        [ -z "$more" ] || fail "written and not ours to write: $more"
        echo "the .deb was installed, installed again, removed and purged; nothing is left but its user"
    else
        echo "SKIPPED no overlay can be mounted here"
    fi
else
    echo "SKIPPED dpkg is not installed"
fi

if command -v rpm >/dev/null; then
    mkdir "$work/empty"
    rpm --root "$work/empty" --initdb
    rpm --root "$work/empty" --force-debian --nodeps --noscripts --nosignature -i "$2" >"$work/log" 2>&1 \
        || rpm --root "$work/empty" --nodeps --noscripts --nosignature -i "$2" >"$work/log" 2>&1 \
        || fail "rpm --root -i: $(cat "$work/log")"
    [ -x "$work/empty/usr/bin/portreeve" ] || fail "rpm --root: no binary"
    rpm --root "$work/empty" --nosignature --nodeps -V portreeve >"$work/verify" 2>&1 || fail "rpm -V: $(cat "$work/verify")"
    rpm --root "$work/empty" --noscripts -e portreeve >"$work/log" 2>&1 || fail "rpm --root -e: $(cat "$work/log")"
    left=$(find "$work/empty" -name '*portreeve*')
    [ -z "$left" ] || fail "left after rpm --root -e: $left"
    echo "the .rpm was installed into an empty root, verified and removed"
    if stage rpm "$2"; then
        inside() { chroot "$work/rpm/root" "$@"; }
        inside rpm --force-debian --nodeps --nosignature -i /tmp/package >"$work/log" 2>&1 \
            || inside rpm --nodeps --nosignature -i /tmp/package >"$work/log" 2>&1 || fail "rpm -i: $(cat "$work/log")"
        inside portreeve --version >/dev/null || fail "the installed binary does not run"
        inside grep -q '^portreeve:' /etc/passwd || ! inside sh -c 'command -v systemd-sysusers' >/dev/null || fail "there is no user"
        inside rpm -e portreeve >"$work/log" 2>&1 || fail "rpm -e: $(cat "$work/log")"
        left=$(ours rpm)
        [ -z "$left" ] || fail "left after rpm -e: $left"
        echo "the .rpm was installed with its scripts and removed; nothing is left but its user"
    else
        echo "SKIPPED no overlay can be mounted here"
    fi
else
    echo "SKIPPED rpm is not installed"
fi
