# EtherNet/IP: a tag is written and read.
python="cpppo"
port=44818
serve() { python3 -m cpppo.server.enip --address "127.0.0.1:$1" --no-udp 'COLOUR=INT[8]' & wait_tcp "$1"; }
call() { timeout 30 python3 -m cpppo.server.enip.client --address "127.0.0.1:$1" 'COLOUR[1]=420' 'COLOUR[0-3]'; }
