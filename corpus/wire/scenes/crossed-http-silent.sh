# A client that speaks HTTP to a server that says nothing.
packages="socat curl"
port=9
serve() { socat -u "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork" STDOUT & wait_tcp "$1"; }
call() { curl -s -m 2 "http://127.0.0.1:$1/" -o /dev/null; true; }
