# RTP with RTCP: a second of sound.
packages="ffmpeg"
port=5004
serve() {
    printf 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=corpus\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio %s RTP/AVP 0\n' "$1" > session.sdp
    timeout 10 ffmpeg -v error -protocol_whitelist file,rtp,udp -i session.sdp -t 1 -f null - & wait_udp "$1"
}
call() { ffmpeg -v error -re -f lavfi -i sine -t 2 -ar 8000 -ac 1 -c:a pcm_mulaw -f rtp "rtp://127.0.0.1:$1?pkt_size=172"; }
