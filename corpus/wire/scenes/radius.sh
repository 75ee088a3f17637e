# RADIUS: one login is accepted, one is not.
packages="freeradius freeradius-utils"
port=1812
prepare() {
    printf 'reader Cleartext-Password := "made-up"\n' > users
    cat > radiusd.conf <<END
libdir = /usr/lib/freeradius
run_dir = $PWD
security { allow_core_dumps = no }
thread pool { }
modules {
pap { }
files { usersfile = $PWD/users }
}
client corpus {
ipaddr = 127.0.0.1
secret = testing123
}
server default {
listen {
type = auth
ipaddr = 127.0.0.1
port = $1
}
authorize {
files
pap
}
authenticate {
pap
}
}
END
}
serve() { freeradius -f -l stdout -d "$PWD" & wait_udp "$1"; }
call() {
    echo 'User-Name = reader, User-Password = made-up' | radclient -r 1 "127.0.0.1:$1" auth testing123
    echo 'User-Name = reader, User-Password = wrong' | radclient -r 1 "127.0.0.1:$1" auth testing123 || true
}
