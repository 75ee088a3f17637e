# IKEv2: two gateways agree on keys. Whether the kernel can use them does not matter here.
packages="strongswan-charon strongswan-swanctl"
port=500
interface=link0
filter="udp"
agree() {
    here=$1 there=$2 port_there=$3 place=$4
    mkdir -p "$place"
    cat > "$place/strongswan.conf" <<END
charon {
load_modular = no
load = random nonce aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 pubkey kernel-netlink socket-default vici
port = $port_there
port_nat_t = 4500
piddir = $PWD/$place
plugins {
vici {
socket = unix://$PWD/$place/vici
}
}
}
swanctl {
load = pem pkcs1 x509 sha1 sha2 aes random
}
END
    mkdir -p "$place/swanctl"
    cat > "$place/swanctl/swanctl.conf" <<END
connections { corpus {
version = 2
local_addrs = $here
remote_addrs = $there
remote_port = $port_there
local { auth = psk
id = $here }
remote { auth = psk
id = $there }
children { net { } }
} }
secrets { ike-1 { secret = made-up-words } }
END
}
serve() {
    agree 192.0.2.1 192.0.2.2 "$1" one; agree 192.0.2.2 192.0.2.1 "$1" two
    STRONGSWAN_CONF=$PWD/one/strongswan.conf /usr/lib/ipsec/charon &
    STRONGSWAN_CONF=$PWD/two/strongswan.conf far sh -c "mount -t tmpfs none /run && exec /usr/lib/ipsec/charon" &
    wait_udp "$1"
}
call() {
    for place in one two; do
        for _ in $(seq 50); do [ -S "$place/vici" ] && break; sleep 0.1; done
        STRONGSWAN_CONF=$PWD/$place/strongswan.conf SWANCTL_DIR=$PWD/$place/swanctl swanctl --load-all --uri "unix://$PWD/$place/vici"
    done
    timeout 10 swanctl --initiate --ike corpus --uri "unix://$PWD/two/vici" || true
    grep -q "IKE_SA corpus" call.log || grep -q "IKE_SA" serve.log
}
