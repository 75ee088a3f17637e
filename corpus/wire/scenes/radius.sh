# RADIUS: one login is accepted, one is not.
packages="freeradius freeradius-utils"
port=1812
prepare() {
    cp -rL /etc/freeradius/3.0 config
    printf 'reader Cleartext-Password := "made-up"\n' > config/mods-config/files/authorize
    rm -f config/mods-enabled/eap config/sites-enabled/inner-tunnel
    sed -i '/^[[:space:]]*eap\b/,/^[[:space:]]*}/d' config/sites-enabled/default
    printf 'client corpus { ipaddr = 127.0.0.1\n secret = testing123 }\n' > config/clients.conf
}
serve() { freeradius -f -l stdout -d "$PWD/config" -i 127.0.0.1 -p "$1" & wait_udp "$1"; }
call() {
    echo 'User-Name = reader, User-Password = made-up' | radclient -r 1 "127.0.0.1:$1" auth testing123
    echo 'User-Name = reader, User-Password = wrong' | radclient -r 1 "127.0.0.1:$1" auth testing123 || true
}
