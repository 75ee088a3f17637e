# WS-Discovery: one host says that it is there, another looks for it.
packages="wsdd"
port=3702
odd=no
interface=link0
filter="udp"
serve() { wsdd -i link0 -4 -n corpus -w EXAMPLE -U 00000000-0000-4000-8000-000000000420 & wait_udp "$1"; }
call() { far timeout 5 wsdd -i link0 -4 -o -D -n reader -U 00000000-0000-4000-8000-000000000421; true; }
