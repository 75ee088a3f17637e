# Memcached: a value in the text protocol, then in the binary one.
packages="memcached libmemcached-tools"
port=11211
serve() { memcached -u root -l 127.0.0.1 -p "$1" -U 0 & wait_tcp "$1"; }
call() {
    echo blue > colour
    for way in "" --binary; do
        memccp --servers="127.0.0.1:$1" $way colour && memccat --servers="127.0.0.1:$1" $way colour || return 1
    done
}
