# NTP: a client measures, and sets nothing.
packages="chrony"
port=123
serve() {
    printf 'port %s\nbindaddress 127.0.0.1\nallow\nlocal stratum 3\ncmdport 0\npidfile %s\n' "$1" "$PWD/server.pid" > server.conf
    chronyd -x -d -u root -f "$PWD/server.conf" & wait_udp "$1"
}
call() {
    printf 'server 127.0.0.1 port %s iburst\ncmdport 0\nport 0\npidfile %s\n' "$1" "$PWD/client.pid" > client.conf
    chronyd -Q -t 20 -u root -f "$PWD/client.conf"
}
