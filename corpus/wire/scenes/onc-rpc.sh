# ONC RPC: the port mapper is asked what it maps. It has one port.
packages="rpcbind"
port=111
odd=no
serve() { mkdir -p /run/rpcbind; rpcbind -f -w & wait_tcp "$1"; }
call() { rpcinfo -p 127.0.0.1 && rpcinfo -u 127.0.0.1 100000 2; }
