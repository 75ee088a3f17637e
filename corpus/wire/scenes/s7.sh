# S7: a block of data is read.
python="python-snap7"
port=102
serve() {
    cat > server.py <<END
import sys, time, ctypes, snap7
from snap7.server import Server
server = Server()
data = (ctypes.c_ubyte * 64)()
try:
    from snap7.type import SrvArea
except ImportError:
    from snap7.types import srvAreaDB
    SrvArea = type("Area", (), {"DB": srvAreaDB})
server.register_area(SrvArea.DB, 1, data)
server.start(tcp_port=int(sys.argv[1])) if "tcp_port" in server.start.__code__.co_varnames else server.start(tcpport=int(sys.argv[1]))
time.sleep(50)
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import sys, snap7
client = snap7.client.Client()
client.connect("127.0.0.1", 0, 1, int(sys.argv[1]))
print(client.db_read(1, 0, 8))
client.disconnect()
END
}
