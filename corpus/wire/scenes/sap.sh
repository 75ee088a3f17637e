# SAP with SDP to a group, and the RTP that it announces.
packages="ffmpeg"
port=9875
interface=link0
serve() { :; }
call() {
    ffmpeg -v error -re -f lavfi -i sine -t 2 -ar 8000 -ac 1 -c:a pcm_mulaw -f sap "sap://224.2.0.1:5004?announce_port=$1&announce_addr=224.2.127.254&ttl=1"
}
