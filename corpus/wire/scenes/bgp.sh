# BGP: two routers meet and tell each other one route.
packages="bird2"
port=179
interface=link0
serve() {
    for here in 1 2; do
        there=$((3 - here))
        cat > "$here.conf" <<END
router id 192.0.2.$here;
protocol device { }
protocol static { ipv4; route 198.51.100.$((here * 16))/28 blackhole; }
protocol bgp { local 192.0.2.$here port $1 as 6450$here; neighbor 192.0.2.$there port $1 as 6450$there; connect delay time 1; ipv4 { import all; export all; }; }
END
    done
    bird -f -c 1.conf -s 1.socket & wait_tcp "$1"
}
call() {
    far bird -f -c 2.conf -s 2.socket &
    for _ in $(seq 60); do
        sleep 0.5
        birdc -s 1.socket show route | grep -q 198.51.100.32 && return 0
    done
    return 1
}
