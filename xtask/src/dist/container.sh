# Makes the container's image out of the archive $1 and runs it as its description says, in a network of its own.
work=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
trap 'reeve rm --force --all >/dev/null 2>&1 || :
    for group in /sys/fs/cgroup /sys/fs/cgroup/*; do rmdir "$group/libpod_parent/conmon" "$group/libpod_parent"; done 2>/dev/null || :
    umount -R -l "$work" 2>/dev/null || :; rmdir "$work" 2>/dev/null || :' EXIT

fail() { echo "$1" >&2; exit 3; }

mkdir "$work/image" "$work/home"
tar -xf "$1" -C "$work/image" --strip-components=1
file=$work/image/container/portreeve.container
capabilities=$(sed -n 's/^AddCapability=//p' "$file" | tr ' ' '\n' | sed 's/^/--cap-add=/')
reeve() { HOME=$work/home podman --runtime runc --root "$work/store" --runroot "$work/run" --storage-driver=vfs \
    --cgroup-manager=cgroupfs --events-backend=none "$@"; }
reeve build --isolation=chroot -t portreeve -f "$work/image/container/Containerfile" "$work/image" >"$work/log" 2>&1 \
    || fail "podman build: $(cat "$work/log")"
# Limits that everybody may set: more is for those who may raise them.
seen() { reeve run --rm --pid=host --network=host --read-only --security-opt=no-new-privileges \
    --security-opt=seccomp=unconfined --cap-drop=ALL --ulimit=nofile=1024:1024 --ulimit=nproc=1000:1000 \
    --tmpfs=/run/portreeve "$@"; }
ip link set lo up
if ! seen portreeve --version >"$work/log" 2>&1; then
    echo "SKIPPED no container runs here: $(tail -n 1 "$work/log")"
    exit 0
fi

# shellcheck disable=SC2086 # one word for each capability
seen --name=watched --detach $capabilities portreeve serve >"$work/log" 2>&1 || fail "serve: $(cat "$work/log")"
tries=0
until reeve exec watched /usr/bin/portreeve serve --status >"$work/status" 2>&1 \
    && grep -q '^watching lo and sockets as the kernel tells' "$work/status"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "the service in the container sees too little: $(cat "$work/status"; reeve logs watched 2>&1)"
    sleep 0.2
done
# shellcheck disable=SC2086
seen $capabilities portreeve list --json >"$work/list" 2>"$work/log" || [ $? -le 2 ] || fail "list: $(cat "$work/log")"
grep -q '"port": *7420' "$work/list" || fail "one container does not see what another has open: $(cat "$work/list")"
seen portreeve list >"$work/list" 2>&1 || [ $? -le 2 ] || fail "list without capabilities: $(cat "$work/list")"
grep -q 'CAP_SYS_PTRACE' "$work/list" || fail "without capabilities it does not say what it lacks: $(cat "$work/list")"
reeve stop --time 10 watched >/dev/null 2>&1 || fail "the service in the container does not end"
echo "the container ran: it watched, saw another, and said what it lacked where it had no capabilities"
