# A recording that begins in the middle of connections: the greeting of a server was not seen.
packages="redis-server redis-tools openssh-server openssh-client"
port=6379
prepare() { cp /dev/null started; }
serve() { redis-server --port "$1" --bind 127.0.0.1 --save '' --daemonize no & wait_tcp "$1"; }
# Twice four packets, and the answer to a first command, are left out: only what has data and comes later is kept.
filter="tcp[tcpflags] & (tcp-syn) == 0"
call() {
    printf 'set colour blue\nget colour\nget colour\n' | redis-cli -p "$1"
}
