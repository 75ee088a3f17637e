# Redis: two commands and an error.
packages="redis-server redis-tools"
port=6379
serve() { redis-server --port "$1" --bind 127.0.0.1 --save '' --daemonize no & wait_tcp "$1"; }
call() {
    redis-cli -p "$1" set colour blue && redis-cli -p "$1" get colour && redis-cli -p "$1" nonsense
}
