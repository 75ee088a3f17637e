# CoAP: the time of day is asked for, and something that is not there.
packages="libcoap3-bin"
port=5683
serve() { coap-server-notls -A 127.0.0.1 -p "$1" & wait_udp "$1"; }
call() { coap-client-notls -m get "coap://127.0.0.1:$1/.well-known/core" && coap-client-notls -m get "coap://127.0.0.1:$1/absent"; }
