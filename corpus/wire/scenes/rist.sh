# RIST, simple profile: a few seconds of a small picture.
packages="ffmpeg rist-tools"
port=5000
serve() { ristreceiver -p 0 -i "rist://@127.0.0.1:$1" -o udp://127.0.0.1:7000 & wait_udp "$1"; }
call() {
    ristsender -p 0 -i udp://@127.0.0.1:7001 -o "rist://127.0.0.1:$1" & wait_udp 7001
    ffmpeg -v error -re -f lavfi -i testsrc=size=64x64:rate=10 -t 2 -c:v mpeg2video -b:v 40k -f mpegts 'udp://127.0.0.1:7001?pkt_size=1316'
    sleep 1
}
filter="portrange $port_here-$((port_here + 1))"
