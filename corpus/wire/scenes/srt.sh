# SRT: a second of a small picture.
packages="ffmpeg"
port=9000
serve() {
    ffmpeg -v error -re -f lavfi -i testsrc=size=64x64:rate=10 -t 4 -c:v mpeg2video -b:v 40k -f mpegts "srt://127.0.0.1:$1?mode=listener" &
    wait_udp "$1"
}
call() { timeout 20 ffmpeg -v error -i "srt://127.0.0.1:$1" -t 1 -f null -; true; }
