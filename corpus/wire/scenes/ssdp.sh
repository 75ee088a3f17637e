# SSDP: a media server announces itself and is searched for.
packages="minidlna gupnp-tools"
port=1900
odd=no
interface=link0
filter="udp"
serve() {
    mkdir -p media db
    printf 'port=8200\nnetwork_interface=link0\nmedia_dir=%s\ndb_dir=%s\nlog_dir=%s\nfriendly_name=corpus\nuuid=00000000-0000-4000-8000-000000000420\n' \
        "$PWD/media" "$PWD/db" "$PWD/db" > minidlna.conf
    minidlnad -S -f minidlna.conf -P "$PWD/pid" & wait_udp "$1"
}
call() { far gssdp-discover -i link0 --timeout=3 --target=ssdp:all; }
