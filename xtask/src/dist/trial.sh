# Installs, changes, upgrades, removes and purges the packages in overlays of this system: $1 is a .deb, $2 an .rpm, $3 and $4
# are those of the next version.
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
    cp "$3" "$work/$1/root/tmp/next"
}

# What people set and what a service keeps, and whether it is there.
keep() {
    root=$work/$1/root
    echo '# ours' >>"$root/etc/portreeve/portreeve.toml"
    mkdir -p "$root/var/lib/portreeve" "$root/etc/portreeve/policy.d" "$root/etc/portreeve/portreeve.d"
    for file in var/lib/portreeve/history.redb var/lib/portreeve/tokens.json etc/portreeve/policy.toml \
        etc/portreeve/policy.d/ours.toml etc/portreeve/portreeve.d/ours.toml; do
        echo '# ours' >"$root/$file"
    done
}
kept() {
    root=$work/$1/root
    for file in var/lib/portreeve/history.redb var/lib/portreeve/tokens.json etc/portreeve/policy.toml \
        etc/portreeve/policy.d/ours.toml etc/portreeve/portreeve.d/ours.toml "$3"; do
        grep -q '^# ours' "$root/$file" || fail "$2 took $file"
    done
}

# Paths of ours that are there.
ours() { (cd "$work/$1/upper" && find . -name '*portreeve*' ! -type c | sort); }

# What was written besides the package managers' own books and the lists of users.
foreign() {
    (cd "$work/$1/upper" && find . ! -type d | sort) | grep -Ev \
        '^\./(var/lib/(dpkg|rpm|systemd)/|var/log/|var/cache/(man|ldconfig)/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/\.pwd\.lock$|root/\.)' || :
}

if command -v dpkg >/dev/null; then
    if stage deb "$1" "$3"; then
        inside() { chroot "$work/deb/root" "$@"; }
        inside dpkg -i /tmp/package >"$work/log" 2>&1 || fail "dpkg -i: $(cat "$work/log")"
        inside portreeve --version >/dev/null || fail "the installed binary does not run"
        inside portreeve 420 --json >/dev/null 2>&1 || [ $? -le 2 ] || fail "the installed binary does not work"
        inside dpkg --verify portreeve >"$work/verify" 2>&1 || :
        [ -s "$work/verify" ] && fail "dpkg --verify: $(cat "$work/verify")"
        inside grep -q '^portreeve:' /etc/passwd || ! inside sh -c 'command -v systemd-sysusers' >/dev/null || fail "there is no user"
        [ "$(inside stat -c %a /etc/portreeve/portreeve.toml)" = 640 ] || fail "everybody reads the settings"
        # Again, over itself, and then the next version, whose example of settings is another.
        keep deb
        inside dpkg -i --force-confold /tmp/package >"$work/log" 2>&1 || fail "dpkg -i again: $(cat "$work/log")"
        kept deb "installing again" etc/portreeve/portreeve.toml
        inside dpkg -i --force-confold /tmp/next >"$work/log" 2>&1 || fail "dpkg -i of the next: $(cat "$work/log")"
        kept deb "the upgrade" etc/portreeve/portreeve.toml
        [ -e "$work/deb/root/etc/portreeve/portreeve.toml.dpkg-dist" ] || fail "the new example of settings is not beside the old"
        [ "$(inside stat -c %a:%G /etc/portreeve/portreeve.toml)" = 640:portreeve ] || fail "the upgrade let others read the settings"
        inside dpkg -r portreeve >"$work/log" 2>&1 || fail "dpkg -r: $(cat "$work/log")"
        [ -e "$work/deb/root/usr/bin/portreeve" ] && fail "the binary stays after its removal"
        kept deb "removing" etc/portreeve/portreeve.toml
        inside dpkg -P portreeve >"$work/log" 2>&1 || fail "dpkg -P: $(cat "$work/log")"
        left=$(ours deb)
        [ -z "$left" ] || fail "left after the purge: $left"
        more=$(foreign deb)
        [ -z "$more" ] || fail "written and not ours to write: $more"
        echo "the .deb was installed, installed again, upgraded, removed and purged; nothing is left but its user"
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
    if stage rpm "$2" "$4"; then
        inside() { chroot "$work/rpm/root" "$@"; }
        put() {
            inside rpm --force-debian --nodeps --nosignature "$@" >"$work/log" 2>&1 \
                || inside rpm --nodeps --nosignature "$@" >"$work/log" 2>&1 || fail "rpm $*: $(cat "$work/log")"
        }
        put -i /tmp/package
        inside portreeve --version >/dev/null || fail "the installed binary does not run"
        inside grep -q '^portreeve:' /etc/passwd || ! inside sh -c 'command -v systemd-sysusers' >/dev/null || fail "there is no user"
        keep rpm
        put -U /tmp/next
        kept rpm "the upgrade" etc/portreeve/portreeve.toml
        [ -e "$work/rpm/root/etc/portreeve/portreeve.toml.rpmnew" ] || fail "the new example of settings is not beside the old"
        inside rpm -e portreeve >"$work/log" 2>&1 || fail "rpm -e: $(cat "$work/log")"
        # What was changed is put aside, and what was never its own stays.
        kept rpm "removing" etc/portreeve/portreeve.toml.rpmsave
        rm -r "$work/rpm/root/etc/portreeve" "$work/rpm/root/var/lib/portreeve"
        left=$(ours rpm)
        [ -z "$left" ] || fail "left after rpm -e: $left"
        echo "the .rpm was installed with its scripts, upgraded and removed; nothing is left but its user"
    else
        echo "SKIPPED no overlay can be mounted here"
    fi
else
    echo "SKIPPED rpm is not installed"
fi
