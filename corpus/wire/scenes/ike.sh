# IKEv2: two gateways agree on keys.
packages="charon-systemd strongswan-swanctl"
port=500
odd=no
interface=link
serve() { :; }
call() { return 1; }
