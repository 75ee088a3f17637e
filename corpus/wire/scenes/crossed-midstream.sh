# A recording that does not have the opening of the connection.
packages="redis-server redis-tools"
port=6379
filter="tcp[tcpflags] & tcp-syn == 0"
serve() { redis-server --port "$1" --bind 127.0.0.1 --save '' --daemonize no & wait_tcp "$1"; }
call() { printf 'set colour blue\nget colour\nget colour\n' | redis-cli -p "$1"; }
