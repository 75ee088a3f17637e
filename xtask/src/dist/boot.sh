# Boots an overlay of this system and tries the service in it as its administrator would: $1 is a .deb, $2 the one of the next
# version.
work=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
trap 'umount -R -l "$work" 2>/dev/null || :; rmdir "$work" 2>/dev/null || :' EXIT

mkdir "$work/upper" "$work/work" "$work/root"
if ! mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"; then
    echo "SKIPPED no overlay can be mounted here"
    exit 0
fi
root=$work/root
: >"$root/etc/machine-id"
cp "$1" "$root/root/one.deb"
cp "$2" "$root/root/next.deb"
# Nothing of the machine's own runs in it.
cat >"$root/etc/systemd/system/trial.target" <<'END'
[Unit]
Requires=basic.target trial.service
AllowIsolate=yes
END
cat >"$root/etc/systemd/system/trial.service" <<'END'
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=sh -euc 'sh -eu /root/trial.sh >/root/told 2>&1 && echo done >>/root/told; systemctl poweroff --no-block'
END
cat >"$root/root/trial.sh" <<'END'
fail() { echo "$1"; journalctl --no-pager -o cat -u portreeve | tail -n 30; exit 3; }
state() { systemctl show --property "$1" --value portreeve; }
# What is being reloaded is no longer "active" until it says that it is done.
until_active() { for _ in $(seq 100); do [ "$(state ActiveState)" = reloading ] || break; sleep 0.1; done; }
journal() { journalctl --sync; journalctl --no-pager -o cat -u portreeve | grep -q "$1"; }

dpkg -i /root/one.deb >/root/log 2>&1 || fail "dpkg -i: $(cat /root/log)"
[ "$(state UnitFileState)" = disabled ] && [ "$(state ActiveState)" = inactive ] || fail "installing enabled or started it"
systemctl enable --now portreeve 2>/dev/null || fail "it does not start"
[ "$(state StatusText)" ] || fail "it does not say how it is"

# What people set and what it keeps.
echo '# ours' >>/etc/portreeve/portreeve.toml
printf '[[allow]]\nport = 420\nexe = "/usr/bin/ours"\nreason = "ours"\n' >/etc/portreeve/policy.toml
portreeve token new ours --scope read >/root/token
systemctl reload portreeve || fail "systemctl reload: it failed"
until_active
[ "$(state ActiveState)" = active ] || fail "a reload ended it"
journal 'policy, baseline and settings were read again' || fail "the journal does not say that it was reloaded"
echo "told: systemctl reload: the journal says that everything was read again"
echo '[[allow' >/etc/portreeve/policy.d.toml && mkdir -p /etc/portreeve/policy.d && mv /etc/portreeve/policy.d.toml /etc/portreeve/policy.d/wrong.toml
# From systemd 253 on the signal counts, and whether the policy was wrong the journal says.
if systemctl reload portreeve 2>/dev/null && [ "$(state Type)" = notify ]; then fail "a reload of a wrong policy did not fail"; fi
until_active
[ "$(state ActiveState)" = active ] || fail "a reload of a wrong policy ended it"
journal 'wrong.toml' || fail "the journal does not say what is wrong with the policy"
rm /etc/portreeve/policy.d/wrong.toml
past() { portreeve history --statistics --json | grep -o '"since": *"[^"]*"'; }
began=$(past) || fail "it has no history: $(portreeve history --statistics 2>&1)"
before=$(state MainPID)

dpkg -i --force-confold /root/next.deb >/root/log 2>&1 || fail "the upgrade: $(cat /root/log)"
[ "$(state ActiveState)" = active ] || fail "it does not run after the upgrade"
[ "$(state MainPID)" != "$before" ] || fail "the upgrade did not restart it"
[ "$(state UnitFileState)" = enabled ] || fail "the upgrade disabled it"
grep -q '^# ours' /etc/portreeve/portreeve.toml || fail "the upgrade took the settings"
grep -q '"ours"' /etc/portreeve/policy.toml || fail "the upgrade took the policy"
portreeve token list | grep -q ours || fail "the upgrade took the token"
[ "$(past)" = "$began" ] || fail "the upgrade took the history: $began, then $(past)"
echo "told: an upgrade restarted the service, which kept settings, policy, token and history"
echo "told: systemd-analyze security: $(systemd-analyze security --no-pager portreeve | tail -n 1 | tr -cd ' -~')"

dpkg -r portreeve >/root/log 2>&1 || fail "dpkg -r: $(cat /root/log)"
[ "$(state ActiveState)" != active ] || fail "removing left it running"
[ -s /var/lib/portreeve/tokens.json ] || fail "removing took the token"
dpkg -P portreeve >/root/log 2>&1 || fail "dpkg -P: $(cat /root/log)"
[ ! -e /var/lib/portreeve ] && [ ! -e /etc/portreeve ] || fail "purging left what it kept"
END
timeout 300 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe \
    --capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN --system-call-filter=bpf --directory="$root" systemd.unit=trial.target \
    </dev/null >"$work/console" 2>&1 || :
if [ ! -s "$root/root/told" ]; then
    echo "SKIPPED no system boots here: $(tail -n 3 "$work/console" | tr '\n' ' ')"
    exit 0
fi
sed -n 's/^told: //p' "$root/root/told"
[ "$(tail -n 1 "$root/root/told")" = done ] || { cat "$root/root/told" >&2; exit 3; }
